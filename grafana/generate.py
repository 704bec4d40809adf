"""Generates the dashboards' JSON: `python -m grafana.generate`. One module is one dashboard."""

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.application import application
from grafana.collector import collector
from grafana.databases import databases
from grafana.kubernetes import kubernetes
from grafana.overview import overview
from grafana.slos import slos
from grafana.trends import trends

DASHBOARDS = Path(__file__).parent / "dashboards"
MADE = (overview, application, databases, kubernetes, slos, collector, trends)


def rendered(dashboard: Dashboard) -> str:
    """Return the classic JSON that Grafana's file provider reads."""
    model = json.loads(json.dumps(dashboard.build(), cls=JSONEncoder), object_hook=in_sight)
    return json.dumps(model, indent=2, sort_keys=True) + "\n"


def in_sight(part: dict[str, Any]) -> dict[str, Any]:
    """Drop the SDK's `inControlsMenu`, which would hide links and annotations in a menu."""
    return {key: value for key, value in part.items() if value != "inControlsMenu"}


def files() -> dict[Path, str]:
    """Return the content of every generated file."""
    return {DASHBOARDS / f"{make.__name__}.json": rendered(make()) for make in MADE}


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content)
