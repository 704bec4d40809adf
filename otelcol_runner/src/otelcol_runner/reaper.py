"""Stops what a launcher left behind: a separate program that `lifetime` starts.

It reads what the launcher owns from its standard input. That input ends when the launcher does,
whatever ended it; then it stops the process groups, and those processes whose environment carries
the launcher's mark, and removes the folders. It needs nothing but Python's own library.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

GRACE = 5.0  # seconds between the stop signal and SIGKILL
LAST = 5.0  # seconds to wait after SIGKILL
PAUSE = 0.05
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(mark: bytes) -> None:
    """Wait for the launcher's end, then clean up."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    groups, folders = owned(sys.stdin.buffer.read())
    end(groups, mark)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def owned(written: bytes) -> tuple[dict[int, int], list[bytes]]:
    """Return groups with their stop signals, and folders: all that was added and not dropped."""
    records: dict[bytes, None] = {}
    for line in written.split(b"\0"):
        if line.startswith(b"+"):
            records[line[1:]] = None
        else:
            records.pop(line[1:], None)
    groups, folders = {}, []
    for record in records:
        kind, _, value = record.partition(b" ")
        if kind == b"group":
            number, stop = value.split()
            groups[int(number)] = int(stop)
        else:
            folders.append(value)
    return groups, folders


def end(groups: dict[int, int], mark: bytes) -> None:
    """Stop everything gracefully, and kill what has not stopped in time."""
    asked: set[int] = set()
    seen_none = 0
    began = time.monotonic()
    while seen_none < 2 and time.monotonic() < began + GRACE + LAST:
        targets = living(groups, mark)
        # Twice: the first scan may fall between a child's fork and its exec, when its
        # environment is still its parent's.
        seen_none = 0 if targets else seen_none + 1
        forced = time.monotonic() > began + GRACE
        for target in targets:
            if forced:
                send(target, signal.SIGKILL)
            elif target not in asked:
                asked.add(target)
                send(target, groups.get(-target, signal.SIGTERM))
                send(target, signal.SIGCONT)  # a stopped process would not handle the stop signal
        time.sleep(PAUSE)


def living(groups: dict[int, int], mark: bytes) -> list[int]:
    """Return what is alive, as `os.kill` takes it: groups as negative numbers, then processes."""
    alive = [-group for group in groups if send(-group, 0)]
    return alive + [number for number in marked(mark) if -group_of(number) not in alive]


def marked(mark: bytes) -> list[int]:
    """Return the processes whose environment has the mark; none where there is no /proc."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environment.read_bytes():
                found.append(int(environment.parent.name))
        except OSError:
            continue
    return found


def group_of(number: int) -> int:
    """Return the process's group, 0 when it is gone."""
    try:
        return os.getpgid(number)
    except OSError:
        return 0


def send(target: int, number: int) -> bool:
    """Send a signal; returns whether the target existed."""
    try:
        os.kill(target, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(os.fsencode(sys.argv[1]))
