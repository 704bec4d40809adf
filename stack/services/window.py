"""The program that keeps the collector's sampling window, and the folder of the window."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from otelcol_runner.lifetime import temporary_folder
from otelcol_runner.process import Process

from stack.errors import UserError
from stack.paths import COLLECTOR

PROGRAM = COLLECTOR / "window" / "window.py"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
NAMES = ("SAMPLING_WINDOW_DIR", "SAMPLING_WINDOW_FILES", "SAMPLING_WINDOW_RUN")
FILES = "2"  # of 16 MB: one machine, little load


class Window(Process):
    """It replays the window after a start of the collector, and trims it.

    Args:
        env: the collector's variables.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__(
            "sampling window",
            [sys.executable, str(PROGRAM), "run"],
            env=env,
            ready=lambda: "waits for a collector" in self.output(),
        )


def variables_of_window(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a window on this machine, its folder included.

    Args:
        chosen: variables that the user set. With SAMPLING_WINDOW_DIR that folder is used; without
            it a temporary one, which `remove` removes.

    Raises:
        UserError: the folder is not in memory, or there is none; the message says what to do.
    """
    found = {name: chosen[name] for name in NAMES if chosen.get(name)}
    made = None
    if "SAMPLING_WINDOW_DIR" not in found:
        if not SHARED_MEMORY.is_dir():
            raise UserError(f"there is no {SHARED_MEMORY}")
        made = temporary_folder("otelcol-window-", SHARED_MEMORY)
        found = {"SAMPLING_WINDOW_FILES": FILES, **found, "SAMPLING_WINDOW_DIR": str(made)}
    command = [sys.executable, str(PROGRAM), "check"]
    done = subprocess.run(command, env=found, capture_output=True, text=True, check=False)
    if done.returncode:
        if made:
            shutil.rmtree(made)
        raise UserError(done.stderr.strip().removeprefix("window: "))
    return found


def remove(variables: Mapping[str, str], chosen: Mapping[str, str]) -> None:
    """Remove the folder, unless the user chose it."""
    folder = variables.get("SAMPLING_WINDOW_DIR")
    if folder and not chosen.get("SAMPLING_WINDOW_DIR"):
        shutil.rmtree(folder, ignore_errors=True)
