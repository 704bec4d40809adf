"""The sinks without a collector."""

import json
import urllib.error
import urllib.request

import pytest
from otelcol_runner.sender import RefusedError, Sender
from otelcol_runner.telemetry import gauge, histogram, log, span, span_id, trace_id
from otelcol_runner.views import Event, Link, Point
from pytest_otelcol.sinks import OtlpSink


def test_a_span_comes_back_as_it_was_built(otlp_sink: OtlpSink) -> None:
    trace, linked = trace_id(), Link(trace_id(), span_id(), {"why": "retry"})
    built = span(
        "work",
        {"text": "a", "list": [1, 2], "map": {"deep": True}, "bytes": b"b", "none": None},
        kind="CONSUMER",
        trace=trace,
        status="ERROR",
        message="it broke",
        events=[Event("exception", {"n": 1.5})],
        links=[linked],
        duration=2.0,
    )
    Sender(otlp_sink.url).send(built, resource={"service.name": "shop"}, headers={"x-key": "k"})
    found = otlp_sink.wait_for_span("work")
    assert found.attributes == {
        "text": "a",
        "list": [1, 2],
        "map": {"deep": True},
        "bytes": b"b",
        "none": None,
    }
    assert (found.kind, found.status, found.status_message) == ("CONSUMER", "ERROR", "it broke")
    assert (found.trace_id, found.links) == (trace, (linked,))
    assert found.events == (Event("exception", {"n": 1.5}),)
    assert (found.end - found.start, found.resource) == (2 * 10**9, {"service.name": "shop"})
    assert otlp_sink.requests[0].headers["x-key"] == "k"


def test_points_carry_their_type_value_and_resource(otlp_sink: OtlpSink) -> None:
    Sender(otlp_sink.url).send(gauge("depth", 3), histogram("seconds", [0.05, 5.0]), log("x"))
    depth, seconds = otlp_sink.points
    assert isinstance(depth, Point)
    assert (depth.type, depth.value, depth.unit) == ("gauge", 3, "1")
    assert (seconds.type, seconds.value, seconds.sum) == ("histogram", 2, 5.05)
    assert seconds.temporality == "CUMULATIVE"
    otlp_sink.clear()
    assert (otlp_sink.points, otlp_sink.requests, otlp_sink.signals) == ([], [], set())


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/traces", {"content-type": "application/json"}, 415),
        ("/v1/traces", {"content-type": "application/x-protobuf"}, 400),
        ("/v1/profiles", {"content-type": "application/x-protobuf"}, 404),
    ],
)
def test_a_body_that_is_not_otlp_is_refused_as_by_a_backend(
    otlp_sink: OtlpSink, path: str, headers: dict[str, str], status: int
) -> None:
    request = urllib.request.Request(otlp_sink.url + path, json.dumps({}).encode(), headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    with refused.value as answer:
        assert answer.code == status
    assert otlp_sink.spans == []


def test_a_sink_can_refuse_and_restart_on_the_same_port(otlp_sink: OtlpSink) -> None:
    sender = Sender(otlp_sink.url)
    otlp_sink.refuse(401)
    with pytest.raises(RefusedError, match="401"):
        sender.send(span("no"))
    otlp_sink.stop()
    with pytest.raises(urllib.error.URLError):
        sender.send(span("no"))
    otlp_sink.accept()
    otlp_sink.start()
    sender.send(span("yes"))
    assert [item.name for item in otlp_sink.spans] == ["yes"]
    assert [item.status for item in otlp_sink.requests] == [401, 200]


def test_a_sink_can_refuse_matching_requests_with_retry_after(
    otlp_sink: OtlpSink,
) -> None:
    sender = Sender(otlp_sink.url)
    otlp_sink.refuse(429, retry_after=7, containing=b"poison")
    sender.send(log("well"))
    with pytest.raises(RefusedError, match="429") as refused:
        sender.send(log("poison"))
    assert refused.value.headers["retry-after"] == "7"
    assert [item.body for item in otlp_sink.logs] == ["well"]


def test_a_sink_can_require_authentication(otlp_sink: OtlpSink) -> None:
    sender = Sender(otlp_sink.url)
    otlp_sink.refuse(401, unless={"authorization": "Bearer right", "x-tenant": "ours"})
    sender.send(log("known"), headers={"Authorization": "Bearer right", "X-Tenant": "ours"})
    for other in ({"X-Tenant": "ours"}, {"Authorization": "Bearer wrong", "X-Tenant": "ours"}):
        with pytest.raises(RefusedError, match="401"):
            sender.send(log("unknown"), headers=other)
    assert [item.body for item in otlp_sink.logs] == ["known"]
