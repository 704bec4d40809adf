"""What Ctrl-C, SIGTERM and a closed terminal do to a run that has things to clean up."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None] | signal.Handlers
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, each of the three raises `KeyboardInterrupt` in the main thread."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with handled(interrupt):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, none of the three does anything: a clean-up runs to its end."""
    with handled(signal.SIG_IGN):
        yield


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Set the handler inside; nothing outside the main thread, where Python does not allow it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in STOPPING}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
