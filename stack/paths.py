"""Folders of the repository, and the cache."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLLECTOR = ROOT / "collector"
PROMETHEUS = ROOT / "prometheus"
GRAFANA = ROOT / "grafana"


def cache_dir() -> Path:
    """Return the folder for built binaries: `AGENTICAL_CACHE`, or one in the user's XDG cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get("AGENTICAL_CACHE") or Path(base) / "agentical")
    path.mkdir(parents=True, exist_ok=True)
    return path
