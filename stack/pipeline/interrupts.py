"""Handles Ctrl-C, SIGTERM and a closed terminal (SIGHUP) in runs that must clean up."""

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from stack.pipeline.parents import watched

Handler = Callable[[int, FrameType | None], None] | signal.Handlers
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ECHO = 1.0  # seconds: a signal to the group comes twice, for uv passes on its own


@contextmanager
def interruptible(echo: float = ECHO) -> Iterator[None]:
    """In this context, each of the three signals raises `KeyboardInterrupt` in the main thread.

    So does the end of the make or uv that runs this command. A signal that comes less than `echo`
    seconds after the previous one is ignored: uv forwards what its group already received.
    """
    last = -math.inf

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before >= echo:
            raise KeyboardInterrupt

    with handled(interrupt), watched(lambda: os.kill(os.getpid(), signal.SIGTERM)):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """In this context, the three signals are ignored, so that a clean-up can finish."""
    with handled(signal.SIG_IGN):
        yield


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Set the handler in this context; only in the main thread, as Python requires."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in STOPPING}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
