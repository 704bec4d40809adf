"""Large telemetry arrives or is refused at the sender; it is never accepted and then dropped."""

from contextlib import suppress
from dataclasses import replace

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from otelcol_runner.polling import NotSeenError, poll_until
from otelcol_runner.sender import RefusedError
from otelcol_runner.telemetry import gauge, log

from stack.clients.prometheus import PromQL
from stack.services.prometheus import Prometheus
from tests.faults.conftest import StartTrial
from tests.faults.support.outcome import ALL, Counts, Row, record
from tests.faults.support.trial import Trial
from tests.support.pipeline import DEVELOPMENT
from tests.support.shapes import RESOURCE, request

POINTS, ROUTES = 60_000, 10_000
LOG_SIZES = (1_000_000, 8_000_000)
LARGE = {"points": POINTS, "large logs": 2, "routes": ROUTES, "routes' counts": ROUTES}
SIZES = Row(
    "one metrics post of 6 MB, log records of 1 MB and of 8 MB, 10,000 routes within a minute",
    "development",
    "all arrives; a post of more than 32 MiB is refused to its sender",
    stated=0,
    short=0,
    none_lost=(*ALL, *LARGE),
)
COUNTED = 'sum(agentical_requests_total{job="agentical-api"})'

pytestmark = pytest.mark.timeout(300)


def test_large_telemetry_arrives_or_is_refused_at_the_sender(
    start_trial: StartTrial, prometheus: Prometheus
) -> None:
    trial = start_trial(*DEVELOPMENT, prometheus=prometheus, SPAN_METRICS_INTERVAL="2s")
    post = bulk()
    assert post.ByteSize() > 6_000_000
    trial.collector.send(post)
    for size in LOG_SIZES:
        trial.collector.send(log("x" * size))
    for first in range(0, ROUTES, 1000):
        spans = [request(route=f"/routes/{first + number}") for number in range(1000)]
        trial.collector.send(*spans, resource=RESOURCE)
    with pytest.raises(RefusedError):
        trial.collector.send(log("x" * 34_000_000))
    lost = missing(trial, prometheus)
    outcome = trial.finish(timeout=150)
    record(SIZES, replace(outcome, sent=outcome.sent | LARGE, lost=outcome.lost | lost))


def bulk() -> Metric:
    """Return one gauge with many series of long labels."""
    made = gauge("faults.bulk", 1, {"number": ""})
    template = made.gauge.data_points.pop()
    for number in range(POINTS):
        point = made.gauge.data_points.add()
        point.CopyFrom(template)
        label = f"a label as long as those of a busy cluster are: {number:>10}"
        point.attributes[0].value.string_value = label
    return made


def missing(trial: Trial, prometheus: Prometheus) -> Counts:
    """Wait for everything; return what did not arrive in time."""
    with PromQL(prometheus.url) as promql:

        def left() -> Counts:
            there = {
                "points": promql.number("count(faults_bulk_ratio)"),
                "large logs": sum(len(str(item.body)) in LOG_SIZES for item in trial.logfire.logs),
                "routes": sum("/routes/" in item.name for item in trial.logfire.spans),
                "routes' counts": promql.number(COUNTED),
            }
            return {what: sent - round(there[what]) for what, sent in LARGE.items()}

        with suppress(NotSeenError):
            poll_until(lambda: not any(left().values()), "everything", timeout=60, interval=0.5)
        return left()
