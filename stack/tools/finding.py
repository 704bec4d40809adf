"""Which programs PATH has, and whether their versions fit."""

import re
import shutil
import subprocess
from pathlib import Path

from stack.tools.programs import Program


def on_path(program: Program) -> Path | None:
    """Return the binary on PATH if its version fits."""
    path = shutil.which(program.on_path)
    if path is None:
        return None
    version = version_of([path, *program.version_arguments])
    return Path(path) if version and version >= program.at_least else None


def version_of(command: list[str]) -> tuple[int, ...] | None:
    """Return the first dotted number a command prints, or None."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout + answer.stderr)
    return tuple(int(part or 0) for part in found.groups()) if found else None
