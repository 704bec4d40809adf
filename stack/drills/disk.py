"""A small file system to fill: one that the user names, or an image of our own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import UserError
from stack.services.folders import scratch

MOST = 256 * 2**20  # bytes: a larger one is somebody's disk
IMAGE = 16 * 2**20
PATH = f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin"


class NoDiskError(UserError):
    """There is no file system that may be filled."""


@contextmanager
def small_disk() -> Iterator[Path]:
    """Give a folder on a small file system. Raises `NoDiskError`."""
    if named := os.environ.get("DRILL_DISK"):
        if shutil.disk_usage(named).total > MOST:
            raise NoDiskError(
                f"DRILL_DISK={named} is no small file system: {MOST >> 20} MB at most"
            )
        yield Path(named)
    elif sys.platform == "linux" and os.geteuid() == 0:
        with image() as folder:
            yield folder
    else:
        raise NoDiskError(
            f"set DRILL_DISK to a folder on a file system of at most {MOST >> 20} MB, "
            "or run it as root on Linux"
        )


@contextmanager
def image() -> Iterator[Path]:
    """Mount a new image on a loop device; it is gone afterwards. Raises `NoDiskError`."""
    folder = scratch("disk")
    file, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    try:
        with file.open("wb") as content:
            content.truncate(IMAGE)
        run("mkfs.ext4", "-q", "-F", "-m", "0", str(file))
        run("mount", "-o", "loop", str(file), str(mounted))
        try:
            yield mounted
        finally:
            run("umount", "--lazy", str(mounted))
    finally:
        shutil.rmtree(folder)


def run(*command: str) -> None:
    """Run a program of the system. Raises `NoDiskError` with what it said."""
    program = shutil.which(command[0], path=PATH)
    if program is None:
        raise NoDiskError(f"a disk image needs {command[0]}: install it, or set DRILL_DISK")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoDiskError(f"{command[0]}: {done.stderr.strip()}; set DRILL_DISK")
