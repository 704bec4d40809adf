"""No input makes a scrubbing statement fail: that would answer 503 for ever."""

from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from otelcol_runner.telemetry import gauge, log, span
from otelcol_runner.views import Attributes, Event, Value
from pytest_otelcol.collector import Otelcol

from tests.support.pipeline import run_pipeline

LENT = (
    "scrub.name",
    "scrub.status",
    "scrub.state",
    "scrub.severity",
    "scrub.event",
    "scrub.version",
)
VALUES: list[Value] = [
    None,
    "",
    "text",
    True,
    7,
    0.5,
    b"bytes",
    [],
    [None, 1],
    {},
    {"a": {"b": 1}},
]


@pytest.mark.parametrize("environment", ["environments/development", "environments/production"])
def test_whatever_is_sent_is_taken(otelcol: Otelcol, tmp_path: Path, environment: str) -> None:
    with run_pipeline(otelcol, (environment, "routes/logfire-only"), tmp_path, {}) as pipeline:
        for value in VALUES:
            odd: Attributes = {**dict.fromkeys(LENT, value), "": value}
            spans = [
                span(name, odd, status="ERROR", events=[Event(name, odd)])
                for name in ("", "a long name")
            ]
            logs = [log(value, odd), log("", odd)]
            points = [gauge(name, 1, odd, unit="") for name in ("", "a.gauge")]
            empty = Metric(name="no.data")
            pipeline.collector.send(*spans, *logs, *points, empty, resource=odd)
        pipeline.logfire.wait_for(lambda s: len(s.spans) == 2 * len(VALUES), "every span")
        pipeline.logfire.wait_for(lambda s: len(s.logs) == 2 * len(VALUES), "every log")
        assert [line for line in pipeline.collector.warnings() if "transform" in line] == []
