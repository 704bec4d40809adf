"""The figures of the runs, as stored in docs/measurements/performance.json."""

import json
from collections.abc import Mapping
from typing import Any

from stack.capacity.figures import RESULTS

FIGURES = RESULTS


def save(found: Mapping[str, Any]) -> None:
    """Store the figures of a run."""
    FIGURES.write_text(json.dumps(found, indent=1) + "\n")


def load() -> dict[str, Any]:
    """Return the stored figures."""
    found: dict[str, Any] = json.loads(FIGURES.read_text())
    return found
