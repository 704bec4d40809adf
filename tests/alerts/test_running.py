"""The rules on a running pipeline: their series exist, and a replica's lag is measured."""

import platform
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import yaml
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.sender import RefusedError, Sender

from alerts.generate import RULES
from alerts.model import matrix
from alerts.rules import rule
from stack.clients.prometheus import PromQL
from stack.load.generator import Load
from stack.pipeline.launch import Pipeline
from tests.support.promql import missing
from tests.support.replica import Replica
from tests.support.servers import scratch_folder
from tests.support.shapes import kafka_lag, kubernetes, request

LAGGING = "PostgresReplicationLagging"
QUICK = {
    "SPAN_METRICS_INTERVAL": "1s",
    "INFRASTRUCTURE_INTERVAL": "1s",
    "SELF_METRICS_INTERVAL_MS": "1000",
    "TRACE_DECISION_WAIT": "1s",
    "SECOND_NAMESPACE": "team-b",
    "SERIES_LIMIT": "200",
}
READ = {
    rule["expr"]: rule.get("alert") or rule["record"]
    for path in sorted(RULES.glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
}
ANSWERS = "otelcol_exporter_http_request_duration_seconds_count"
READ[f"sum by (http_response_status_code, server_address) ({ANSWERS})"] = "its answers, at all"
# Not counted here, nor what is recorded from it: tests/ledger/ covers the exporters' failures,
# tests/kubernetes/distribution/ agents and gateways. `up` and `ALERTS` are made by Prometheus
# itself for what it scrapes and what fires.
UNCOUNTED = (
    "otelcol_exporter_send_failed_",
    "otelcol_exporter_enqueue_failed_",
    "otelcol_processor_memory_limiter_refused_",
    "otelcol_processor_tail_sampling_early_releases_from_cache_decision_total",
    "signal_hop_kind:ledger_failed:sum",
    f'{ANSWERS}{{http_response_status_code=~"401|403"',
    f'{ANSWERS}{{http_response_status_code="502"',
    'otelcol_receiver_accepted_spans_total{receiver="otlp/agents"',
    'otelcol_receiver_accepted_log_records_total{receiver="otlp/agents"',
    'otelcol_receiver_accepted_metric_points_total{receiver="otlp/agents"',
    'instance_signal_hop:ledger_sent:sum{hop=~"load_balancing/gateways|otlp_grpc/gateway"',
    "ALERTS",
    "cause:",
    "up",
)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    """The whole pipeline under load, with a replica of Postgres and a pod's metrics."""
    extra = ("infrastructure/kubernetes", "two-projects")
    with ExitStack() as stack:
        running = stack.enter_context(
            Pipeline(environment="production", overlays=extra, variables=QUICK)
        )
        stack.enter_context(Load(running.api_url, rate=10, failing=5))
        yield running


@pytest.fixture(scope="module")
def replica(pipeline: Pipeline) -> Iterator[Replica]:
    with (
        scratch_folder("replica") as data,
        Replica(pipeline.postgres, free_port(), data) as running,
    ):
        yield running


@pytest.mark.usefixtures("replica")
def test_the_running_pipeline_has_every_metric_and_label_of_the_rules(pipeline: Pipeline) -> None:
    url = pipeline.prometheus_url
    sender = Sender(pipeline.otlp_url)
    sender.send(request(code=500, status="ERROR"))
    with pytest.raises(RefusedError):
        sender.post("/v1/traces", b"this is not OTLP")
    routes = [
        request(route=f"/made-up/{number}") for number in range(2 * int(QUICK["SERIES_LIMIT"]))
    ]
    sender.send(*routes, resource={"service.name": "shop"})
    for resource, metrics in (*kubernetes("api-1"), kafka_lag(1)):
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


def firing(
    pipeline: Pipeline, name: str, above: float | None = None, least: float = 5
) -> list[dict[str, Any]]:
    """Run an alert's query with windows of `least` seconds; return the labels it finds."""
    alert = next(alert for alert in matrix().alerts if alert.name == name)
    assert alert.prometheus is not None
    change = {} if above is None else {"threshold": above}
    how = alert.prometheus.model_copy(update=change)
    made = rule(alert, how, matrix().links, factor=12, least=least)
    with PromQL(pipeline.prometheus_url) as prometheus:
        return [labels for labels, _ in prometheus.series(made["expr"])]


def wait_for(pipeline: Pipeline, name: str, above: float | None = None) -> list[dict[str, Any]]:
    return poll_until(lambda: firing(pipeline, name, above), f"{name} above {above}", timeout=40)


def wait_for_none(pipeline: Pipeline, name: str, above: float | None = None) -> None:
    def none() -> bool:
        return not firing(pipeline, name, above)

    poll_until(none, f"no {name} above {above}", timeout=40)


def of_postgres(pipeline: Pipeline) -> dict[str, str]:
    instance = f"127.0.0.1:{pipeline.ports.postgres}"
    return {"job": "postgresql", "instance": instance, "host": platform.node()}


def test_a_paused_replica_lags_until_it_resumes(pipeline: Pipeline, replica: Replica) -> None:
    wait_for(pipeline, LAGGING, 0)
    wait_for_none(pipeline, LAGGING, 3)
    replica.pause()
    lags = wait_for(pipeline, LAGGING, 5)
    assert lags == [of_postgres(pipeline) | {"replication_client": "127.0.0.1/32"}]
    replica.resume()
    wait_for_none(pipeline, LAGGING, 3)


def test_the_lag_of_a_stopped_replica_grows(pipeline: Pipeline, replica: Replica) -> None:
    wait_for(pipeline, LAGGING, 0)
    wait_for_none(pipeline, LAGGING, 3)
    replica.kill()
    try:
        wait_for(pipeline, LAGGING, 5)
    finally:
        replica.start()


def failing(pipeline: Pipeline) -> set[str]:
    """Return the services without connections; they report every five seconds."""
    return {found["job"] for found in firing(pipeline, "DatabaseConnectionIssues", least=20)}


def test_a_postgres_outage_is_seen_at_the_server_and_by_the_service(
    pipeline: Pipeline,
) -> None:
    wait_for_none(pipeline, "PostgresDown")
    assert failing(pipeline) == set()
    pipeline.postgres.kill()
    try:
        assert wait_for(pipeline, "PostgresDown") == [of_postgres(pipeline)]
        poll_until(lambda: "agentical-api" in failing(pipeline), "the API's metric", timeout=40)
    finally:
        pipeline.postgres.start()
    wait_for_none(pipeline, "PostgresDown")
