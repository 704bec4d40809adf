"""No input makes a scrubbing statement fail: the sender would get 503 forever."""

import math
from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from otelcol_runner.telemetry import gauge, log, span
from otelcol_runner.views import Attributes, Event, Value
from pytest_otelcol.collector import Otelcol

from tests.support.pipeline import run_pipeline

RESERVED = (
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
    {"loss": math.nan, "query": "WHERE token = $1"},
    [math.inf, "password=hunter2"],
]


@pytest.mark.parametrize("environment", ["environments/development", "environments/production"])
def test_a_value_of_any_type_is_accepted(
    otelcol: Otelcol, tmp_path: Path, environment: str
) -> None:
    with run_pipeline(otelcol, (environment, "routes/logfire-only"), tmp_path, {}) as pipeline:
        for value in VALUES:
            attributes: Attributes = {**dict.fromkeys(RESERVED, value), "": value}
            spans = [
                span(name, attributes, status="ERROR", events=[Event(name, attributes)])
                for name in ("", "a long name")
            ]
            logs = [log(value, attributes), log("", attributes)]
            points = [gauge(name, 1, attributes, unit="") for name in ("", "a.gauge")]
            empty = Metric(name="no.data")
            pipeline.collector.send(*spans, *logs, *points, empty, resource=attributes)
        pipeline.logfire.wait_for(lambda s: len(s.spans) == 2 * len(VALUES), "every span")
        pipeline.logfire.wait_for(lambda s: len(s.logs) == 2 * len(VALUES), "every log")
        assert [line for line in pipeline.collector.warnings() if "/scrub" in line] == []
