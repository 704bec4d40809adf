"""Sends the three signals, waits until each backend returns them, and measures the delays."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

import httpx
from otelcol_runner.polling import NotSeenError, poll_until

from stack.clients import http
from stack.clients.collector import SelfMetrics
from stack.clients.logfire import Logfire, ReadTokenError, UnreachableError, clock_offset, detail
from stack.doctor import signals
from stack.doctor.signals import Sent
from stack.errors import UserError

SINCE = timedelta(hours=2)  # wide enough for a clock that is wrong
LOGFIRE, PROMETHEUS = "Logfire", "Prometheus"


@dataclass
class Finding:
    """One signal: how it was sent, and where and when it was found."""

    signal: str
    backend: str
    sent: Sent = field(default_factory=lambda: Sent(0.0))
    delay: float | None = None  # seconds from sending until a query found it; None: missing
    problem: UserError | None = None  # why the last query failed
    lost: bool = False  # the collector reports that it dropped it

    @property
    def hopeless(self) -> bool:
        """Whether waiting longer is pointless."""
        rejected = isinstance(self.problem, ReadTokenError)
        return rejected or self.lost or not self.sent.accepted


class Checkup:
    """Checks the pipeline between an OTLP endpoint and the backends.

    Args:
        otlp: the OTLP/HTTP endpoint, without a path.
        logfire: the query API.
        prometheus: its URL, or None when metrics are expected at Logfire.
        self_metrics: the URL of the collector's own metrics.
    """

    def __init__(
        self, otlp: str, logfire: Logfire, prometheus: str | None, self_metrics: str
    ) -> None:
        self.otlp, self.logfire, self.prometheus = otlp, logfire, prometheus
        self.self_metrics_url = self_metrics
        self.client = http.client(prometheus or "", timeout=10.0)
        self.probe_id = secrets.token_hex(16)
        self.offsets: dict[str, float] = {}  # seconds that a backend's clock is ahead of ours
        self.findings = {
            "trace": Finding("trace", LOGFIRE),
            "log": Finding("log", LOGFIRE),
            "metric": Finding("metric", PROMETHEUS if prometheus else LOGFIRE),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()

    def run(self, timeout: float, is_lost: Callable[["Checkup", Finding], bool]) -> None:
        """Send, then wait until every signal is found or lost, for at most `timeout` seconds.

        `is_lost` is called once a second for each missing signal; if true, it is not waited for.
        """
        self.is_lost = is_lost
        self.before = self.after = SelfMetrics.read(self.self_metrics_url)
        self.read_at = time.monotonic()
        for signal, sent in signals.send(self.otlp, self.probe_id).items():
            self.findings[signal].sent = sent
        pause = 0.1 if self.logfire.local else 1.0  # Logfire limits the rate of queries
        with suppress(NotSeenError):  # missing signals are the result
            poll_until(self._look, "all three signals", timeout=timeout, interval=pause)
        self.after = SelfMetrics.read(self.self_metrics_url)

    @property
    def missing(self) -> list[Finding]:
        return [finding for finding in self.findings.values() if finding.delay is None]

    def _look(self) -> bool:
        self._ask([f for f in self._waiting() if f.backend == LOGFIRE], self._at_logfire)
        self._ask([f for f in self._waiting() if f.backend == PROMETHEUS], self._at_prometheus)
        if time.monotonic() > self.read_at + 1:
            self._check_lost()
        return not list(self._waiting())

    def _check_lost(self) -> None:
        self.read_at = time.monotonic()
        self.after = SelfMetrics.read(self.self_metrics_url)
        for finding in self._waiting():
            finding.lost = self.is_lost(self, finding)

    def _waiting(self) -> Iterator[Finding]:
        return (finding for finding in self.missing if not finding.hopeless)

    def _ask(self, waiting: list[Finding], found: Callable[[], set[str]]) -> None:
        if not waiting:
            return
        try:
            seen, problem = found(), None
        except UserError as error:
            seen, problem = set(), error
        for finding in waiting:
            finding.problem = problem
            if finding.signal in seen:
                finding.delay = time.monotonic() - finding.sent.at

    def _at_logfire(self) -> set[str]:
        rows = self.logfire.rows(
            f"SELECT kind FROM records WHERE trace_id = '{self.probe_id}'",  # noqa: S608 - our hex
            since=SINCE,
        )
        if self.logfire.clock_offset is not None:
            self.offsets[LOGFIRE] = self.logfire.clock_offset
        found = {"trace" if row["kind"] == "span" else row["kind"] for row in rows}
        return found | (self._metric_at_logfire() if self.prometheus is None else set())

    def _metric_at_logfire(self) -> set[str]:
        rows = self.logfire.rows(
            f"SELECT attributes FROM metrics WHERE metric_name = '{signals.NAME}' "  # noqa: S608
            f"AND attributes->>'probe_id' = '{self.probe_id}'",
            since=SINCE,
        )
        return {"metric"} if rows else set()

    def _at_prometheus(self) -> set[str]:
        series = f'doctor_probe{{probe_id="{self.probe_id}"}}'
        try:
            answer = self.client.get(f"{self.prometheus}/api/v1/query", params={"query": series})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(
                f"cannot reach Prometheus at {self.prometheus} ({error}): "
                "start it, or set PROMETHEUS_URL"
            ) from None
        if answer.status_code != 200:
            raise UserError(f"{self.prometheus} answered {answer.status_code}: {detail(answer)}")
        offset = clock_offset(answer)
        if offset is not None:
            self.offsets[PROMETHEUS] = offset
        return {"metric"} if answer.json()["data"]["result"] else set()

    def weight_is_missing(self) -> bool:
        """Return whether the sampler did not record the policy that decides the trace's weight."""
        if self.findings["trace"].delay is None:
            return False
        rows = self.logfire.rows(
            "SELECT attributes, otel_scope_attributes AS scope FROM records "  # noqa: S608 - our hex
            f"WHERE kind = 'span' AND trace_id = '{self.probe_id}'",
            since=SINCE,
        )
        return any(
            "sampling.adjusted_count" in (row["attributes"] or {})
            and "tailsampling.policy" not in (row["scope"] or {})
            for row in rows
        )
