"""Where things are in the repository and in the user's cache."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLLECTOR = ROOT / "collector"
PROMETHEUS = ROOT / "prometheus"
GRAFANA = ROOT / "grafana"


def cache_dir() -> Path:
    """Return where built binaries are kept: `AGENTICAL_CACHE`, or in the user's XDG cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get("AGENTICAL_CACHE") or Path(base) / "agentical")
    path.mkdir(parents=True, exist_ok=True)
    return path
