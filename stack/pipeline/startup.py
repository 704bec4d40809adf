"""Starts and stops several processes in parallel."""

import re
import time
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from otelcol_runner.process import Process, ProcessFailedError

from stack.tools.progress import Report

SAYS_WHY = re.compile(r"(?i)(error|fatal|panic)\b")


def start_all(
    parts: Sequence[Process], report: Report, optional: Container[str] = ()
) -> list[Process]:
    """Start all in parallel, report each as it becomes ready, and return those that run.

    If one fails, the others are stopped and its error is raised. A process named in `optional` may
    fail: that is reported, and it is left out.
    """
    try:
        return started(parts, report, optional)
    except BaseException:
        stop_all(parts)  # some may have become ready in the meantime
        raise


def started(parts: Sequence[Process], report: Report, optional: Container[str]) -> list[Process]:
    """Start all in threads; on a failure, stop the others and raise it."""
    running = []
    begun = time.monotonic()
    with ThreadPoolExecutor(max_workers=max(len(parts), 1)) as pool:
        starts = {pool.submit(part.start): part for part in parts}
        try:
            for start in as_completed(starts):
                part = starts[start]
                try:
                    start.result()
                except ProcessFailedError as error:
                    if part.name not in optional:
                        raise
                    report(f"  {brief(error)}; continuing without it")
                    continue
                running.append(part)
                report(f"  {part.name} ready ({time.monotonic() - begun:.1f} s)")
        except BaseException:
            stop_all(parts)
            raise
    return running


def brief(error: ProcessFailedError) -> str:
    """Return in one line which process failed, and the line of its output that says why.

    That is the first line of an error, which often is followed by those of the shutdown; without
    one it is the last line.
    """
    head, *output = str(error).strip().splitlines()
    if not output:
        return head
    place = next((i for i, line in enumerate(output) if SAYS_WHY.match(line)), len(output) - 1)
    why = output[place]
    # The collector's own errors go from the outside to the inside, a line each.
    for line in output[place + 1 :]:
        if not why.endswith(":"):
            break
        why = line
    return f"{head}; it said: {why.partition('; failed to upload metrics')[0].strip()}"


def stop_all(parts: Sequence[Process]) -> None:
    """Stop all in parallel; an error in one does not affect the others."""
    with ThreadPoolExecutor(max_workers=max(len(parts), 1)) as pool:
        for part in parts:
            pool.submit(part.close)
