"""A steady load of tasks, each with a trace id of its own, and what is missing of it."""

import threading
from collections.abc import Sequence
from typing import Self

import httpx
from otelcol_runner.polling import NotSeenError, poll_until

from stack.clients.logfire import Logfire
from tests.cluster.backends import send_task, spans

PAUSE = 0.2  # seconds between two tasks


class Load:
    """Sends tasks in a thread, as a context manager; `sent` are the traces of the accepted ones."""

    def __init__(self, api: httpx.Client) -> None:
        self.sent: list[str] = []
        self.error: Exception | None = None
        self._api = api
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def finish(self) -> list[str]:
        """Stop, and return the traces that were sent. Raises the first error."""
        self.__exit__()
        if self.error:
            raise self.error
        return self.sent

    def _run(self) -> None:
        try:
            while not self._end.wait(PAUSE):
                self.sent.append(send_task(self._api))
        except Exception as error:  # the test's thread raises it
            self.error = error


def whole_trace(api: httpx.Client, backend: Logfire) -> int:
    """Return how many spans a task's trace has once both services' have arrived."""
    traces, seen = [send_task(api) for _ in range(3)], [0]

    def settled() -> int:
        found = spans(backend)
        seen.append(min(found.get(trace, 0) for trace in traces))
        return seen[-1] if seen[-1] == seen[-2] else 0

    return poll_until(settled, "whole traces", timeout=60, interval=2)


def missing(backend: Logfire, traces: Sequence[str], whole: int, *, timeout: float) -> int:
    """Return how many of the traces are not whole after `timeout` seconds, or zero at once."""

    def incomplete() -> int:
        found = spans(backend)
        return sum(found.get(trace, 0) < whole for trace in traces)

    try:
        poll_until(lambda: incomplete() == 0, "every trace", timeout=timeout, interval=0.5)
    except NotSeenError:
        return incomplete()
    return 0
