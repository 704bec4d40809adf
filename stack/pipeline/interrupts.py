"""Handles Ctrl-C, SIGTERM and a closed terminal (SIGHUP) in runs that must clean up."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None] | signal.Handlers
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """In this context, each of the three signals raises `KeyboardInterrupt` in the main thread."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with handled(interrupt):
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
