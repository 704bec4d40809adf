"""The rules on a running pipeline: what they ask for is there, and a replica's lag is seen."""

import platform
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import yaml
from pytest_otelcol.polling import poll_until
from pytest_otelcol.ports import free_port
from pytest_otelcol.sender import Sender

from alerts.generate import RULES
from alerts.model import matrix
from alerts.rules import rule
from alerts.series import missing
from stack.launch import Pipeline
from stack.load import Load
from tests.alerts.replica import Replica
from tests.app.conftest import folder
from tests.collector.shapes import kubernetes

QUICK = {
    "SPAN_METRICS_INTERVAL": "1s",
    "INFRASTRUCTURE_INTERVAL": "1s",
    "SELF_METRICS_INTERVAL_MS": "1000",
    "TRACE_DECISION_WAIT": "1s",
}
READ = {
    rule["expr"]: rule.get("alert") or rule["record"]
    for path in sorted(RULES.glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
}
# Counters that nothing has counted, and what is made of them; tests/ledger/ makes each of them
# count. `up` is Prometheus' own, of what it scrapes.
UNCOUNTED = (
    "otelcol_exporter_send_failed_",
    "otelcol_exporter_enqueue_failed_",
    "otelcol_processor_memory_limiter_refused_",
    "otelcol_processor_tail_sampling_early_releases_from_cache_decision_total",
    "signal_hop_kind:ledger_failed:sum",
    "up",
)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    """The whole pipeline under load, with a replica of Postgres and a pod's metrics."""
    extra = ("infrastructure/kubernetes",)
    with ExitStack() as stack:
        running = stack.enter_context(
            Pipeline(environment="production", overlays=extra, variables=QUICK)
        )
        stack.enter_context(Load(running.api_url, rate=10))
        yield running


@pytest.fixture(scope="module")
def replica(pipeline: Pipeline) -> Iterator[Replica]:
    with (
        folder("replica") as data,
        Replica(pipeline.postgres, free_port(), data) as running,
    ):
        yield running


def ask(pipeline: Pipeline, query: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{pipeline.prometheus_url}/api/v1/query", params={"query": query})
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return found


@pytest.mark.usefixtures("replica")
def test_every_metric_and_label_of_a_rule_is_on_the_running_pipeline(pipeline: Pipeline) -> None:
    url = pipeline.prometheus_url
    sender = Sender(pipeline.otlp_url)
    for resource, metrics in kubernetes("api-1"):
        sender.send(*metrics, resource=resource)

    lacking = {expr: [name] for expr, name in READ.items()}

    def complete() -> bool:
        for expr in [expr for expr, lacks in lacking.items() if lacks]:
            said = [sentence.removeprefix("there is no ") for sentence in missing(expr, url)]
            lacking[expr] = [what for what in said if not what.startswith(UNCOUNTED)]
        return not any(lacking.values())

    seen = lambda: {READ[expr]: lacks for expr, lacks in lacking.items() if lacks}  # noqa: E731
    poll_until(complete, "every series that a rule reads", timeout=60, interval=1, seen=seen)
    assert len(READ) > 50
    assert missing("sum by (zone) (agentical_queue_depth)", url) == [
        "agentical_queue_depth has no label zone"
    ]


def lag(pipeline: Pipeline, above: float) -> list[dict[str, Any]]:
    """Ask what PostgresReplicationLagging asks, with windows as short as the samples allow."""
    (alert,) = [a for a in matrix().alerts if a.name == "PostgresReplicationLagging"]
    assert alert.prometheus is not None
    how = alert.prometheus.model_copy(update={"threshold": above})
    return ask(pipeline, rule(alert, how, matrix().links, factor=12, least=5)["expr"])


def wait_for_lag(pipeline: Pipeline, above: float) -> dict[str, Any]:
    seen = lambda: lag(pipeline, 0)  # noqa: E731
    return poll_until(lambda: lag(pipeline, above), f"a lag of {above} s", timeout=40, seen=seen)[0]


def wait_for_no_lag(pipeline: Pipeline) -> None:
    seen = lambda: lag(pipeline, 0)  # noqa: E731
    poll_until(lambda: not lag(pipeline, 3), "no lag", timeout=40, seen=seen)


def test_a_replica_that_stops_replaying_lags_until_it_goes_on(
    pipeline: Pipeline, replica: Replica
) -> None:
    wait_for_lag(pipeline, 0)
    wait_for_no_lag(pipeline)
    replica.pause()
    labels = wait_for_lag(pipeline, 5)["metric"]
    assert labels == {
        "job": "postgresql",
        "instance": f"127.0.0.1:{pipeline.ports.postgres}",
        "host": platform.node(),
        "replication_client": "127.0.0.1/32",
    }
    replica.resume()
    wait_for_no_lag(pipeline)


def test_a_replica_that_is_gone_lags_by_the_time_since(
    pipeline: Pipeline, replica: Replica
) -> None:
    wait_for_lag(pipeline, 0)
    wait_for_no_lag(pipeline)
    replica.kill()
    wait_for_lag(pipeline, 5)
