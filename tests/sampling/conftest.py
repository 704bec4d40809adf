"""Production's pipeline as shipped with real backends, after one load."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from pytest_otelcol.collector import Collector, Otelcol

from stack.clients.collector import SelfMetrics
from stack.clients.prometheus import PromQL
from stack.pipeline.ports import LISTEN
from stack.services.prometheus import Prometheus
from stack.services.stand_in import StandIn
from tests.sampling.load import TRACES, Trace, in_parts, traces
from tests.support.pipeline import PORTS, PRODUCTION, files

DECISION_WAIT = 12.0  # seconds; the default is 30
WORKER_LATER = 3.0  # seconds between a request and the spans of its task
WEIGHT = "COALESCE((attributes->>'sampling.adjusted_count')::float, 1)"
Kept = dict[str, tuple[int, float, float]]  # by trace id: spans, lowest and highest weight


@dataclass
class Production:
    """The load, and the running parts to query."""

    sent: Sequence[Trace]
    collector: Collector
    logfire: StandIn
    prometheus: Prometheus

    @property
    def self_metrics(self) -> SelfMetrics:
        """Return the collector's own metrics."""
        return SelfMetrics.of(self.collector.env)

    @cached_property
    def kept(self) -> Kept:
        """The stored spans and weights of each trace, without late spans."""
        sql = (
            f"SELECT trace_id, COUNT(*) AS spans, MIN({WEIGHT}) AS low, MAX({WEIGHT}) AS high "
            "FROM records WHERE span_name <> 'late' GROUP BY trace_id"
        )
        rows = self.logfire.query(sql)
        return {row["trace_id"]: (row["spans"], row["low"], row["high"]) for row in rows}

    def kept_of(self, fate: str) -> Kept:
        """Return what is stored of the traces with one fate."""
        ids = {trace.trace_id for trace in self.sent if trace.fate == fate}
        return {trace_id: what for trace_id, what in self.kept.items() if trace_id in ids}

    def number(self, query: str) -> float:
        """Return the value of an instant query of one series."""
        with PromQL(self.prometheus.url) as prometheus:
            return prometheus.number(query)

    def send(self, service: str, spans: Sequence[Span]) -> None:
        """Send spans as one of the two services."""
        resource = {"service.name": service, "service.instance.id": f"{service}-1"}
        self.collector.send(*spans, resource=resource)


@pytest.fixture(scope="session")
def production(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with run(otelcol, tmp_path_factory.mktemp("sampling")) as running:
        send_all(running)
        wait_for_all(running)
        yield running


@contextmanager
def run(otelcol: Otelcol, folder: Path, **variables: str) -> Iterator[Production]:
    with (
        StandIn(free_port()) as logfire,
        Prometheus(free_port(), folder / "prometheus") as prometheus,
    ):
        env = {
            "LOGFIRE_ENDPOINT": logfire.url,
            "LOGFIRE_TOKEN": logfire.write_token,
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": prometheus.remote_write_endpoint,
            "COLLECTOR_QUEUE_DIR": str(folder / "queue"),
            "TRACE_DECISION_WAIT": f"{DECISION_WAIT:.0f}s",
            "SPAN_METRICS_INTERVAL": "1s",
            **variables,
        }
        with otelcol.run(files(PRODUCTION), env, listen=LISTEN, ports=PORTS) as collector:
            yield Production(traces(), collector, logfire, prometheus)


def send_all(running: Production) -> None:
    """Send each part's requests, and its tasks' spans WORKER_LATER seconds later."""
    due: list[tuple[float, Sequence[Trace]]] = []
    for part in in_parts(running.sent):
        running.send("agentical-api", [span for trace in part for span in trace.in_api()])
        due.append((time.monotonic() + WORKER_LATER, part))
    for moment, part in due:
        time.sleep(max(0.0, moment - time.monotonic()))
        running.send("agentical-worker", [span for trace in part for span in trace.in_worker()])
        late = time.monotonic() - moment
        assert late < DECISION_WAIT - WORKER_LATER - 1, "this machine is too slow for the load"


def wait_for_all(running: Production) -> None:
    """Wait until every trace is decided, and every kept one stored."""
    sampled = "processor_tail_sampling_global_count_traces_sampled"

    def stored() -> bool:
        metrics = running.self_metrics
        kept = metrics.total(sampled, sampled="true")
        (row,) = running.logfire.query("SELECT COUNT(DISTINCT trace_id) AS n FROM records")
        return metrics.total(sampled) == TRACES and row["n"] == kept

    poll_until(stored, f"a decision on {TRACES} traces and the kept ones stored", timeout=60)
    poll_until(
        lambda: running.number("sum(agentical_requests_total)") == TRACES,
        f"{TRACES} requests counted",
        timeout=30,
    )
