"""The worker's sign of life: a file whose time of modification says until when it counts as alive.

The worker keeps moving that time ahead, so a probe only compares it with the clock, without Python:

    find FILE -not -newermt now -exec false {} +

fails if there is no such file, or if its time has come.
"""

import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Self

logger = logging.getLogger(__name__)


class HeartbeatError(Exception):
    """The file cannot be written; the message names it."""


class Heartbeat:
    """The file at `path`, removed at the end; without a path there is none.

    Args:
        seconds: how long the worker counts as alive after a beat.
    """

    def __init__(self, path: Path | None, seconds: float) -> None:
        self.path = path
        self.seconds = seconds
        self._broken = False

    def __enter__(self) -> Self:
        """Make the file, which ends what an earlier worker left. Raises `HeartbeatError`."""
        if self.path:
            try:
                self._write(self.path, until=time.time())
            except OSError as error:
                hint = "choose a file that the worker may write"
                raise HeartbeatError(f"the heartbeat cannot be written: {error}; {hint}") from None
        return self

    def __exit__(self, *error: object) -> None:
        if self.path:
            with contextlib.suppress(OSError):  # the end does not depend on it
                self.path.unlink()

    def beat(self) -> None:
        """Count as alive for `seconds` from now. Never raises: it is the probe that has to fail."""
        if not self.path:
            return
        try:
            self._write(self.path, until=time.time() + self.seconds)
        except OSError as error:
            if not self._broken:
                logger.warning("Heartbeat not written", extra={"reason": str(error)})
            self._broken = True
        else:
            self._broken = False

    def _write(self, path: Path, until: float) -> None:
        try:
            os.utime(path, (until, until))
        except FileNotFoundError:  # also where old files are cleaned up
            path.touch()
            os.utime(path, (until, until))
