"""More time for tests whose first run builds what they need."""

from collections.abc import Iterable
from pathlib import Path

import pytest


def allow(items: Iterable[pytest.Item], folder: Path, seconds: float) -> None:
    """Give every test in a folder this much time."""
    for item in items:
        if item.path.is_relative_to(folder):
            item.add_marker(pytest.mark.timeout(seconds))
