"""Folders of the repository, and the cache."""

import os
from pathlib import Path

from stack.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
COLLECTOR = ROOT / "collector"
PROMETHEUS = ROOT / "prometheus"
GRAFANA = ROOT / "grafana"


def cache_dir() -> Path:
    """Return the folder for built binaries: `AGENTICAL_CACHE`, or one in the user's XDG cache.

    Raises `UserError` if it cannot be created.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get("AGENTICAL_CACHE") or Path(base) / "agentical").absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot create the cache {path} ({error.strerror}): set AGENTICAL_CACHE to a folder "
            "that you can write to"
        ) from None
    return path
