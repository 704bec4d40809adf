"""Where long work tells how far it is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

Report = Callable[[str], None]
EVERY = 10.0  # seconds between two lines in a log


def say(line: str) -> None:
    """Print progress where a person looks, and keep stdout for results."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the command line's own output


@contextmanager
def status(report: Report) -> Iterator[Report]:
    """Yield what shows the present state: in place on a terminal, else a line now and then."""
    console = Console(stderr=True, highlight=False)
    if report is say and console.is_terminal:
        with console.status("") as line:
            yield line.update
        return
    last = time.monotonic()

    def now_and_then(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            report(f"  {text}")

    yield now_and_then
