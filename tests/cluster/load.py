"""A steady load of tasks, each with a trace id of its own, and what is missing of it."""

from collections.abc import Sequence

import httpx
from otelcol_runner.polling import NotSeenError, poll_until

from stack.clients.logfire import Logfire
from tests.cluster.backends import send_task, spans
from tests.support.background import Background

PAUSE = 0.2  # seconds between two tasks


class Load(Background):
    """Sends tasks, as a context manager; `sent` are the traces of the accepted ones."""

    def __init__(self, api: httpx.Client) -> None:
        super().__init__("load")
        self.sent: list[str] = []
        self._api = api

    def finish(self) -> list[str]:
        """Stop, and return the traces that were sent. Raises the first error."""
        self.end()
        return self.sent

    def _send(self) -> None:
        while not self._end.wait(PAUSE):
            self.sent.append(send_task(self._api))


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
