"""Measures the delay from a request until its trace or its metric can be queried."""

import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Self

import httpx
from otelcol_runner.polling import NotSeenError, poll_until

from stack.clients import http
from stack.clients.logfire import Logfire
from stack.clients.prometheus import PromQL
from stack.errors import UserError

# The load never requests /health, so every increase is caused by a probe.
HEALTH_REQUESTS = 'agentical_requests_total{endpoint="/health",status="200"}'
EXECUTIONS = "SELECT COUNT(*) AS spans FROM records WHERE span_name = 'agent_execution'"
TIMEOUT = 60.0
RECENT = timedelta(seconds=2 * TIMEOUT)
PAUSE = 1.0


class Probe(ABC):
    """Repeats a measurement in a thread; a context manager.

    `seconds` holds the latest delays, counted from sending the request; `sent` counts the requests,
    `lost` those that were not visible within a minute.
    """

    name: str

    def __init__(self) -> None:
        self.seconds: deque[float] = deque(maxlen=1000)
        self.lost = self.sent = 0
        self._last, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"probe of a {self.name}", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def finish(self, timeout: float) -> None:
        """Send no more, and wait up to `timeout` seconds for the current measurement."""
        self._last.set()
        self._thread.join(timeout)

    def stop(self) -> None:
        """Send no more, and abandon the current measurement."""
        self._last.set()
        self._stop.set()
        self._thread.join()

    def prepared(self) -> object:
        """Return whether the request may be sent; called until it is true."""
        return True

    @abstractmethod
    def send(self) -> None:
        """Send the request."""

    @abstractmethod
    def visible(self) -> object:
        """Return whether the request is visible at the backend."""

    def _run(self) -> None:
        while not self._last.wait(PAUSE):
            try:
                self._wait_for(self.prepared)
                if self._stop.is_set():
                    return
                begun = time.monotonic()
                self.send()
                self.sent += 1
                self._wait_for(self.visible)
            except (NotSeenError, httpx.HTTPError, UserError):
                self.lost += 1
            else:
                if not self._stop.is_set():
                    self.seconds.append(time.monotonic() - begun)

    def _wait_for(self, check: Callable[[], object]) -> None:
        def seen() -> object:
            try:
                return self._stop.is_set() or check()
            except (httpx.HTTPError, UserError):
                return False

        poll_until(seen, f"the {self.name}", timeout=TIMEOUT, interval=0.1)


class TraceProbe(Probe):
    """Follows a task until the worker's span is at Logfire, the last span of its trace.

    Where a sampler drops most traces, set `failing`: it keeps the traces of tasks that fail.
    """

    name = "trace"

    def __init__(self, api_url: str, logfire: Logfire, *, failing: bool) -> None:
        super().__init__()
        self._path, self._logfire = f"{api_url}/agents/archivist/tasks", logfire
        kind, text = ("summarize_document", "nowhere") if failing else ("word_statistics", "probe")
        self._task = {"task_type": kind, "text": text}

    def send(self) -> None:
        """Send a task with a trace id of our own."""
        self._trace_id = secrets.token_hex(16)
        parent = f"00-{self._trace_id}-{secrets.token_hex(8)}-01"
        answer = http.post(self._path, json=self._task, headers={"traceparent": parent})
        answer.raise_for_status()

    def visible(self) -> object:
        sql = f"{EXECUTIONS} AND trace_id = '{self._trace_id}'"
        return self._logfire.rows(sql, since=RECENT)[0]["spans"]


class MetricProbe(Probe):
    """Follows a request until Prometheus has counted it."""

    name = "metric"

    def __init__(self, api_url: str, prometheus: PromQL) -> None:
        super().__init__()
        self._url, self._prometheus = f"{api_url}/health", prometheus
        self._before = 0.0

    def prepared(self) -> object:
        """Wait for the count that the API's start-up check caused, and start from it."""
        self._before = self._prometheus.number(HEALTH_REQUESTS)
        return self._before

    def send(self) -> None:
        http.get(self._url).raise_for_status()

    def visible(self) -> object:
        return self._prometheus.number(HEALTH_REQUESTS) > self._before
