"""Writes the dashboards' JSON: `python -m grafana.generate`. Each module of `boards/` is one."""

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.boards.application import application
from grafana.boards.collector import collector
from grafana.boards.databases import databases
from grafana.boards.kubernetes import kubernetes
from grafana.boards.overview import overview
from grafana.boards.slos import slos
from grafana.boards.trends import trends

DASHBOARDS = Path(__file__).parent / "dashboards"
MADE = (overview, application, databases, kubernetes, slos, collector, trends)


def rendered(dashboard: Dashboard) -> str:
    """Return the Classic JSON that Grafana's file provider reads."""
    model = json.loads(json.dumps(dashboard.build(), cls=JSONEncoder), object_hook=in_sight)
    return json.dumps(model, indent=2, sort_keys=True) + "\n"


def in_sight(part: dict[str, Any]) -> dict[str, Any]:
    """Leave out where the SDK would hide links and marks: in a menu."""
    return {key: value for key, value in part.items() if value != "inControlsMenu"}


def files() -> dict[Path, str]:
    """Return the content of every generated file."""
    return {DASHBOARDS / f"{make.__name__}.json": rendered(make()) for make in MADE}


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content)
