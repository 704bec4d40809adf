"""Runs promtool on the repository's rules."""

import os
import subprocess
import tempfile
from pathlib import Path

from stack.tools import toolchain


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Return what promtool said, whatever it ended with."""
    command = [str(toolchain.promtool()), *map(str, arguments)]
    with tempfile.TemporaryDirectory(prefix="promtool-") as folder:  # interrupted, it leaves files
        return subprocess.run(
            command,
            env={**os.environ, "TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
