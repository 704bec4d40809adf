"""Starts and stops several processes at once."""

import time
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from otelcol_runner.process import Process, ProcessFailedError

from stack.tools.progress import Report


def start_all(
    parts: Sequence[Process], report: Report, spare: Container[str] = ()
) -> list[Process]:
    """Start all at once and report each as it becomes ready; returns those that run.

    Raises what the first failing start raised; the others are stopped then. A part whose name is
    in `spare` may fail: the rest goes on without it.
    """
    try:
        return started(parts, report, spare)
    except BaseException:
        stop_all(parts)  # what became ready while the others were being stopped
        raise


def started(parts: Sequence[Process], report: Report, spare: Container[str]) -> list[Process]:
    """Start all in threads; a failure ends the waits of the others, and is raised."""
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
                    if part.name not in spare:
                        raise
                    report(f"  {brief(error)}; going on without it")
                    continue
                running.append(part)
                report(f"  {part.name} ready ({time.monotonic() - begun:.1f} s)")
        except BaseException:
            stop_all(parts)
            raise
    return running


def brief(error: ProcessFailedError) -> str:
    """Return in one line which process failed, and its last words."""
    lines = str(error).strip().splitlines()
    return lines[0] if len(lines) == 1 else f"{lines[0]}; its last words: {lines[-1]}"


def stop_all(parts: Sequence[Process]) -> None:
    """Stop all at once; one that cannot be stopped does not keep the others from it."""
    with ThreadPoolExecutor(max_workers=max(len(parts), 1)) as pool:
        for part in parts:
            pool.submit(part.close)
