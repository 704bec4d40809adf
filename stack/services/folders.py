"""The folders that servers keep their state in."""

import tempfile
from pathlib import Path


def scratch(name: str) -> Path:
    """Make a temporary folder that the unprivileged user may enter; the caller removes it."""
    path = Path(tempfile.mkdtemp(prefix=f"agentical-{name}-"))
    path.chmod(0o755)
    return path


def linked(folder: Path, *shipped: Path) -> None:
    """Link shipped files into a folder: what they name relatively may then differ by run."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in shipped:
        link = folder / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)
