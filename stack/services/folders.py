"""Folders for the state of servers."""

from pathlib import Path

from otelcol_runner.lifetime import temporary_folder


def scratch(name: str) -> Path:
    """Create a temporary folder that an unprivileged user may enter; the caller removes it."""
    path = temporary_folder(f"agentical-{name}-")
    path.chmod(0o755)
    return path


def link_into(folder: Path, *shipped: Path) -> None:
    """Link shipped files into a folder, so that relative paths in them can differ for each run."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in shipped:
        link = folder / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)
