"""How Grafana shows a value: asked of its own published code, `@grafana/data`, in Node.js."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.dashboards.reading import Part, defaults
from tests.support import node

FOLDER = Path(__file__).parent / "grafana"


class Shown(NamedTuple):
    """A value's text with its unit, and the name of its threshold's colour."""

    text: str
    color: str


def shown(asks: Iterable[tuple[Part, float | None]]) -> list[Shown]:
    """Return how each panel shows a value, or that it has none."""
    asked = [{"config": defaults(panel), "value": value} for panel, value in asks]
    done = subprocess.run(
        [str(node.node()), str(FOLDER / "display.cjs")],
        env={"NODE_PATH": str(node.packages(FOLDER))},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Shown(**one) for one in json.loads(done.stdout)]
