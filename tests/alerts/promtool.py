"""Runs promtool on the repository's rules."""

import subprocess
from pathlib import Path

from stack.tools import toolchain


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Return what promtool said, whatever it ended with."""
    command = [str(toolchain.promtool()), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
