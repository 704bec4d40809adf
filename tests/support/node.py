"""Node.js from its wheel, and npm packages: fetched once by `npm ci`, kept in the user's cache."""

import hashlib
import shutil
from pathlib import Path

from stack.paths import cache_dir
from stack.tools.node import wait_for_packages, wheel
from stack.tools.page import scratch
from stack.tools.progress import Report, say


def node() -> Path:
    """Return the program; raises `UserError`."""
    return wheel().program


def packages(project: Path, report: Report = say) -> Path:
    """Return the folder `node_modules` of a project's lock file; raises `UserError`."""
    lock = project / "package-lock.json"
    folder = cache_dir() / f"node-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        with scratch(folder.parent, "node-") as fetched:
            fetch(project, fetched, report)
            # Renamed, so that concurrent downloads end with one complete folder.
            if not folder.exists():
                (fetched / "packages").rename(folder)
    return folder / "node_modules"


def fetch(project: Path, scratch_folder: Path, report: Report) -> None:
    """Install what the lock file says; raises `UserError`."""
    folder = scratch_folder / "packages"
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(project / name, folder)
    doing = f"fetching the npm packages of {project.name}"
    report(f"{doing}, once")
    with wheel().installing(folder, doing) as job:
        wait_for_packages(job, report)
