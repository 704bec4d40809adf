"""The window's settings, and the check of its folder."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_FOLDER = "/dev/shm/otelcol-window"  # noqa: S108 - in memory, and of the collector alone
FILE_BYTES = 16 << 20  # max_megabytes in production.yaml
IN_MEMORY = ("tmpfs", "ramfs")
MOUNTS = Path("/proc/self/mountinfo")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class UserError(Exception):
    """Something that the user has to change; the message says what."""


@dataclass(frozen=True)
class Settings:
    """What the variables say."""

    folder: Path
    files: int
    wait: float  # seconds
    instance: str

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Settings":
        """Read the variables. Raises `UserError`."""
        files = variables.get("SAMPLING_WINDOW_FILES") or "32"
        if not files.isdecimal() or not int(files):
            raise UserError(
                f"SAMPLING_WINDOW_FILES is {files!r}: set a number of files, such as 32"
            )
        return cls(
            Path(variables.get("SAMPLING_WINDOW_DIR") or DEFAULT_FOLDER),
            int(files),
            seconds(variables.get("TRACE_DECISION_WAIT") or "30s"),
            variables.get("INSTANCE_NAME") or socket.gethostname(),
        )


def seconds(duration: str) -> float:
    """Return the length of a duration as the collector writes it ("1m30s"). Raises `UserError`."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", duration)
    if not parts or "".join(map("".join, parts)) != duration:
        raise UserError(f"TRACE_DECISION_WAIT is {duration!r}: set a duration such as 30s or 1m30s")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def check(settings: Settings) -> None:
    """Create the folder if it is missing.

    Raises:
        UserError: it is not in memory, or too small.
    """
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(settings.folder, os.W_OK):
        raise UserError(f"{settings.folder} is not writable: run this as the collector's user")
    kind = file_system(settings.folder)
    if kind not in IN_MEMORY:
        raise UserError(
            f"{settings.folder} is on {kind}, and the window has spans that are not scrubbed: set"
            " SAMPLING_WINDOW_DIR to a folder on tmpfs, or SAMPLING_WINDOW=none for no window"
        )
    there = os.statvfs(settings.folder)
    size, needed = there.f_blocks * there.f_frsize, (settings.files + 2) * FILE_BYTES
    if size < needed:
        raise UserError(
            f"{settings.folder} has {size >> 20} MB, and {settings.files} files need"
            f" {needed >> 20} MB: make it larger, or set SAMPLING_WINDOW_FILES to fewer"
        )


def file_system(folder: Path) -> str:
    """Return the type of the file system that a folder is on, or what is known of it."""
    if not MOUNTS.exists():
        return "a file system of unknown type"
    kinds = dict[Path, str]()
    for line in MOUNTS.read_text().splitlines():
        left, _, right = line.partition(" - ")
        kinds[Path(left.split()[4].encode().decode("unicode_escape"))] = right.split()[0]
    place = folder.resolve()
    return next(kinds[parent] for parent in (place, *place.parents) if parent in kinds)
