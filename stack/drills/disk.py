"""A small file system to fill: one named by DRILL_DISK, or a temporary image."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import UserError
from stack.services.folders import scratch

MAX_BYTES = 256 * 2**20  # a larger file system is probably a real disk
IMAGE_BYTES = 16 * 2**20
PATH = f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin"


class NoDiskError(UserError):
    """No file system is available to fill."""


@contextmanager
def small_disk() -> Iterator[Path]:
    """Yield a folder on a small file system; raises `NoDiskError`."""
    if named := os.environ.get("DRILL_DISK"):
        if shutil.disk_usage(named).total > MAX_BYTES:
            raise NoDiskError(
                f"DRILL_DISK={named} is too large: set it to a file system of at most "
                f"{MAX_BYTES >> 20} MB"
            )
        yield Path(named)
    elif sys.platform == "linux" and os.geteuid() == 0:
        with image() as folder:
            yield folder
    else:
        raise NoDiskError(
            f"set DRILL_DISK to a folder on a file system of at most {MAX_BYTES >> 20} MB, "
            "or run the drill as root on Linux"
        )


@contextmanager
def image() -> Iterator[Path]:
    """Mount a new image on a loop device, and remove it afterwards; raises `NoDiskError`."""
    folder = scratch("disk")
    file, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    try:
        with file.open("wb") as content:
            content.truncate(IMAGE_BYTES)
        run("mkfs.ext4", "-q", "-F", "-m", "0", str(file))
        run("mount", "-o", "loop", str(file), str(mounted))
        try:
            yield mounted
        finally:
            run("umount", "--lazy", str(mounted))
    finally:
        shutil.rmtree(folder)


def run(*command: str) -> None:
    """Run a system program; raises `NoDiskError` with its error output."""
    program = shutil.which(command[0], path=PATH)
    if program is None:
        raise NoDiskError(f"a disk image needs {command[0]}: install it, or set DRILL_DISK")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoDiskError(f"{command[0]}: {done.stderr.strip()}; set DRILL_DISK")
