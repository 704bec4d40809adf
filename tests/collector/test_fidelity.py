"""Telemetry arrives as it was sent, except for secrets and the added dashboard link."""

import dataclasses

import pytest
from otelcol_runner.sender import Sender
from otelcol_runner.telemetry import counter, gauge, histogram, log, span, span_id, trace_id
from otelcol_runner.views import Event, Link, Span
from pytest_otelcol.sinks import OtlpSink

from tests.support.pipeline import StartPipeline

VALUES = {
    "text": "a word",
    "number": 7,
    "fraction": 0.25,
    "truth": True,
    "list": ["a", "b"],
    "numbers": [1, 2],
    "map": {"inner": {"deep": 1}},
    "gen_ai.usage.input_tokens": 1200,
    "empty": "",
}
RESOURCE = {"service.name": "faithful", "service.instance.id": "1", "cloud.region": "eu", "n": 3}
TRACE = trace_id()
SPANS = [
    span(
        "GET /users",
        VALUES,
        kind="SERVER",
        trace=TRACE,
        parent=span_id(),
        status="ERROR",
        message="no such user",
        events=[Event("exception", {"exception.message": "no such user", "n": 1})],
        links=[Link(trace_id(), span_id(), {"why": "retry"})],
        trace_state="vendor=1",
    ),
    span("ok", kind="CONSUMER", trace=TRACE, status="OK"),
]
LOGS = [
    log({"nested": ["body", 1]}, VALUES, severity="WARN", trace=TRACE, span=span_id()),
    log("a sentence"),
]
METRICS = [
    gauge("a.gauge", 1.5, {"label": "x"}, unit="By"),
    counter("a.counter", 3, {"label": "y"}),
    histogram("a.histogram", [0.05, 0.5, 5.0], {"label": "z"}),
]


@pytest.fixture(scope="module")
def direct() -> OtlpSink:
    """What a backend receives without a collector in between."""
    with OtlpSink("direct") as sink:
        Sender(sink.url).send(*SPANS, *LOGS, *METRICS, resource=RESOURCE, scope="my.library")
    return sink


def linked(sent: Span) -> Span:
    """Return a span with the link to its service's dashboard, which is added to its resource."""
    url = "http://127.0.0.1:3000/d/agentical-application?var-job=faithful"
    return dataclasses.replace(sent, resource=sent.resource | {"dashboard.url": url})


def test_spans_logs_and_metrics_arrive_as_they_were_sent(
    start_pipeline: StartPipeline, direct: OtlpSink
) -> None:
    pipeline = start_pipeline("environments/development", "routes/logfire-only")
    pipeline.collector.send(*SPANS, *LOGS, *METRICS, resource=RESOURCE, scope="my.library")
    pipeline.logfire.wait_for_point("a.histogram")
    pipeline.logfire.wait_for_span("ok")
    pipeline.logfire.wait_for_log("a sentence")
    assert pipeline.logfire.spans == [linked(sent) for sent in direct.spans]
    assert pipeline.logfire.logs == direct.logs
    own = [point for point in pipeline.logfire.points if point.name.startswith("a.")]
    assert sorted(own, key=str) == sorted(direct.points, key=str)


def test_production_adds_only_weight_policy_and_dashboard_link(
    start_pipeline: StartPipeline, direct: OtlpSink
) -> None:
    pipeline = start_pipeline("environments/production", "routes/hybrid")
    pipeline.collector.send(*SPANS, resource=RESOURCE, scope="my.library")
    pipeline.logfire.wait_for_span("ok")
    expected = [
        dataclasses.replace(
            linked(sent),
            attributes=sent.attributes | {"sampling.adjusted_count": 1.0},
            scope_attributes={"tailsampling.policy": "errors"},
        )
        for sent in direct.spans
    ]
    assert pipeline.logfire.spans == expected


def test_secrets_do_not_arrive(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(
        "environments/development", "routes/hybrid", REDACT_EMAIL_PATTERN="[a-z.]+@[a-z]{2,}[.]com"
    )
    secrets = {
        "http.request.header.authorization": ["Bearer abcdefgh12345678"],
        "db.password": "hunter2-hunter2",
        "note": "write to jane.doe@example.com, postgres://jane:hunter2-hunter2@db/app",
    }
    pipeline.collector.send(span("s", secrets), log("key AKIAABCDEFGHIJKLMNOP", secrets))
    arrived = str(pipeline.logfire.wait_for_span("s").attributes)
    pipeline.logfire.wait_for(lambda sink: sink.logs, "the log")
    arrived += str(pipeline.logfire.logs)
    for secret in ("abcdefgh12345678", "hunter2", "jane.doe", "AKIAABCDEFGHIJKLMNOP"):
        assert secret not in arrived
