"""The one way to wait: poll until a deadline, then say what was missing."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


class NotSeenError(AssertionError):
    """The awaited condition did not hold in time."""


def poll_until(
    check: Callable[[], Found | None],
    what: str,
    *,
    timeout: float = 30.0,
    interval: float = 0.05,
    seen: Callable[[], object] | None = None,
) -> Found:
    """Call `check` until it returns something truthy and return that.

    An exception derived from `AssertionError` or `OSError` counts as "not yet". `timeout` and
    `interval` are in seconds. `seen` describes, for the error, what was there instead.

    Raises:
        NotSeenError: the deadline passed; the message names `what` and the last answer.
    """
    deadline = time.monotonic() + timeout
    last: object = None
    while True:
        try:
            last = found = check()
            if found:
                return found
        except (AssertionError, OSError) as error:
            last = error
        if time.monotonic() >= deadline:
            there = seen() if seen else last
            raise NotSeenError(f"{what}: not seen within {timeout:g} s; last seen: {there}")
        time.sleep(interval)
