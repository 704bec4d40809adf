"""Notices when the command that started this one is gone: `kill -9` of make or uv tells nobody."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

# Programs that do nothing but run this one. Not the shell: what `nohup` or `&` started outlives it.
RUNNERS = ("make", "gmake", "uv", "python", "Python", "pytest")
INTERVAL = 0.5  # seconds


@contextmanager
def watched(gone: Callable[[], None]) -> Iterator[None]:
    """Inside, `gone` is called once, in a thread, when a runner above this process has ended."""
    links = runners()
    done = threading.Event()

    def look() -> None:
        while not done.wait(INTERVAL):
            if not all(holds(child, parent) for child, parent in links):
                gone()
                return

    thread = threading.Thread(target=look, name="parents", daemon=True)
    if links:
        thread.start()
    try:
        yield
    finally:
        done.set()


def runners() -> list[tuple[psutil.Process, int]]:
    """Return each process from this one up with its parent's id, as far as runners go."""
    links = []
    child = psutil.Process()
    for parent in child.parents():
        if not parent.name().startswith(RUNNERS):
            break
        links.append((child, parent.pid))
        child = parent
    return links


def holds(child: psutil.Process, parent: int) -> bool:
    """Return whether the child still has this parent; an orphan gets another at once."""
    try:
        return child.ppid() == parent
    except psutil.Error:
        return False
