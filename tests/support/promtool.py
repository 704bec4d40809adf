"""Runs promtool on the repository's rules."""

import os
import subprocess
import tempfile
from pathlib import Path

from stack.tools import toolchain


def promtool(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Return promtool's output and exit code; `variables` are added to its environment."""
    command = [str(toolchain.promtool()), *map(str, arguments)]
    with tempfile.TemporaryDirectory(
        prefix="promtool-"
    ) as folder:  # promtool leaves files when interrupted
        return subprocess.run(
            command,
            env={**os.environ, **variables, "TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
