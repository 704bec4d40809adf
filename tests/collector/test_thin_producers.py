"""What producers send with little or odd data is counted once, with all labels."""

from collections import Counter

import pytest
from otelcol_runner.telemetry import span, trace_id
from pytest_otelcol.remote_write import RemoteWriteSink

from tests.support.pipeline import DEVELOPMENT, Pipeline, StartPipeline
from tests.support.shapes import request

REQUESTS = "agentical_requests_total"
DURATIONS = "agentical_request_duration_seconds_count"
CODE, CONTENT = "http.response.status_code", "http.response.header.content_type"
PENDING = {"logfire.span_type": "pending_span"}


def counts(sink: RemoteWriteSink, name: str, job: str) -> Counter[tuple[str, str]]:
    """Return a service's counts by endpoint (or task type, operation) and status."""
    found: Counter[tuple[str, str]] = Counter()
    for item in sink.series(name, {"job": job}):
        what = {"endpoint", "operation", "task_type"} & item.labels.keys()
        found[item.labels[what.pop()], item.labels.get("status", "")] += int(item.value)
    return found


def test_a_pending_span_is_not_counted_and_reaches_logfire_only(
    start_pipeline: StartPipeline,
) -> None:
    pipeline = start_pipeline("environments/development", "routes/hybrid", "overlays/also-viewer")
    trace = trace_id()
    pending = request(route="/pay", code=None, trace=trace, attributes=PENDING)
    pipeline.collector.send(pending, resource={"service.name": "shop"})
    pipeline.collector.send(
        request(route="/pay", code=200, trace=trace), resource={"service.name": "shop"}
    )
    pipeline.prometheus.wait_for_series(REQUESTS, {"job": "shop"}, value=1)
    pipeline.logfire.wait_for(lambda sink: len(sink.spans) == 2, "the pending span and the span")
    pipeline.viewer.wait_for(lambda sink: len(sink.spans) > 0, "the span at the other backend")
    assert counts(pipeline.prometheus, REQUESTS, "shop") == {("/pay", "200"): 1}
    assert counts(pipeline.prometheus, DURATIONS, "shop") == {("/pay", ""): 1}
    sampled = "agentical_sampled_request_duration_seconds_count"
    pipeline.prometheus.wait_for_series(sampled, {"job": "shop"}, value=1)
    assert [item.attributes.get("logfire.span_type") for item in pipeline.viewer.spans] == [None]


def test_every_series_has_all_its_labels(pipeline: Pipeline) -> None:
    bare = [
        request(route="", code=200),
        span("", {"db.system.name": "postgresql"}, kind="CLIENT"),
        span("", {"db.system.name": "redis"}, kind="CLIENT"),
        span("agent_execution"),
        span("agent_execution", status="ERROR"),
        span("agent_execution", {"task_type": "", "status": ""}),
    ]
    pipeline.collector.send(*bare, resource={"service.name": "bare"})
    expected = {
        REQUESTS: {("unmatched", "200"): 1},
        "agentical_database_query_duration_seconds_count": {("unknown", ""): 1},
        "agentical_redis_operations_total": {("unknown", "success"): 1},
        "agentical_agent_tasks_total": {("unknown", "unknown"): 2, ("unknown", "error"): 1},
        "agentical_agent_task_duration_seconds_count": {("unknown", ""): 3},
    }
    pipeline.prometheus.wait_for(
        lambda sink: {name: counts(sink, name, "bare") for name in expected} == expected,
        f"exactly {expected}",
    )


ROOM = {"http.scheme": "ws", "http.route": "/rooms/{room}"}
STREAMS: dict[str, dict[str, object]] = {
    "a WebSocket": {"url.scheme": "ws"},
    "a WebSocket by the older conventions": {"http.scheme": "wss"},
    "an answer of server-sent events": {
        "http.response.header.content_type": ["text/event-stream; charset=utf-8"]
    },
    "a route in STREAM_ROUTES": {"http.route": "/events/{id}"},
}


@pytest.mark.parametrize("environment", ["development", "production"])
def test_sockets_and_streams_are_counted_but_neither_measured_nor_slow(
    start_pipeline: StartPipeline, environment: str
) -> None:
    pipeline = start_pipeline(
        f"environments/{environment}",
        "routes/hybrid",
        STREAM_ROUTES="^/events/",
        TRACE_SAMPLE_PERCENT="0.000001",
    )
    streams = [
        request(route="/stream", code=200, duration=3, attributes=found)
        for found in STREAMS.values()
    ]
    failed = request(
        route="/stream", code=500, duration=3, status="ERROR", attributes={"url.scheme": "ws"}
    )
    slow = request(route="/slow", code=200, duration=3)
    pipeline.collector.send(*streams, failed, slow, resource={"service.name": "live"})
    all_counted = {
        ("/stream", "200"): 3,
        ("/events/{id}", "200"): 1,
        ("/stream", "500"): 1,
        ("/slow", "200"): 1,
    }
    sink = pipeline.prometheus
    sink.wait_for(lambda found: counts(found, REQUESTS, "live") == all_counted, f"{all_counted}")
    sink.wait_for(
        lambda found: counts(found, DURATIONS, "live") == {("/slow", ""): 1}, "one duration"
    )
    if environment == "production":
        pipeline.logfire.wait_for(
            lambda found: len(found.spans) == 2, "the slow and the failed trace"
        )
        kept = {item.trace_id for item in pipeline.logfire.spans}
        assert kept == {slow.trace_id.hex(), failed.trace_id.hex()}


def test_a_websocket_as_the_libraries_send_it_is_counted_with_its_errors(
    pipeline: Pipeline,
) -> None:
    """Neither FastAPI's own telemetry nor the contrib library gives it a method."""
    sockets = [
        span(
            "WS /rooms/{room}", {"url.scheme": "ws", "http.route": "/rooms/{room}"}, kind="SERVER"
        ),
        span("HTTP /rooms/{room}", {**ROOM, "http.response.status_code": 200}, kind="SERVER"),
        span("HTTP /rooms/{room}", {**ROOM, "http.status_code": 403}, kind="SERVER"),
        span("WS /rooms/{room}", ROOM, kind="SERVER", status="ERROR"),
        span(
            "HTTP /rooms/{room}", {**ROOM, "http.status_code": 200}, kind="SERVER", status="ERROR"
        ),
        request(),  # has a duration
    ]
    pipeline.collector.send(*sockets, resource={"service.name": "rooms"})
    expected = {
        **{("/rooms/{room}", status): 1 for status in ("101", "200", "403")},
        ("/rooms/{room}", "500"): 2,
        ("/agents/{agent_id}/tasks", "202"): 1,
    }
    sink = pipeline.prometheus
    sink.wait_for(lambda found: counts(found, REQUESTS, "rooms") == expected, f"{expected}")
    sink.wait_for_series(DURATIONS, {"job": "rooms"}, value=1)
    assert len(sink.series(DURATIONS, {"job": "rooms"})) == 1


def test_a_pending_span_keeps_no_trace(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(
        "environments/production", "routes/hybrid", TRACE_SAMPLE_PERCENT="0.000001"
    )
    pending = [
        request(status="ERROR", attributes=PENDING),
        request(duration=9, attributes=PENDING),
    ]
    kept = request(status="ERROR", code=500)
    pipeline.collector.send(*pending)
    pipeline.collector.send(kept)
    pipeline.logfire.wait_for(lambda sink: len(sink.spans) > 0, "the trace with an error")
    assert {item.trace_id for item in pipeline.logfire.spans} == {kept.trace_id.hex()}


def test_spans_of_one_instance_are_counted_by_one_writer(pipeline: Pipeline) -> None:
    for zone, number in (("a", 3), ("b", 4)):
        instance = {"service.instance.id": "1", "cloud.availability_zone": zone}
        resource = {"service.name": "zones", **instance}
        pipeline.collector.send(*(request(code=200) for _ in range(number)), resource=resource)
    pipeline.prometheus.wait_for_series(REQUESTS, {"job": "zones"}, value=7)


def test_a_status_as_text_and_as_a_number_is_one_series(pipeline: Pipeline) -> None:
    codes = ["500", 500, "503", "201", 201, "teapot"]
    spans = [request(route="/pay", code=None, attributes={CODE: code}) for code in codes]
    pipeline.collector.send(*spans, resource={"service.name": "texts"})
    expected = {"500": 2, "503": 1, "201": 2, "teapot": 1}
    pipeline.prometheus.wait_for(
        lambda sink: (
            counts(sink, REQUESTS, "texts") == {("/pay", k): v for k, v in expected.items()}
        ),
        f"{expected}",
    )


def test_content_types_take_no_place_from_other_routes(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, SERIES_LIMIT="10")
    parts = [
        request(route="/camera", code=200, attributes={CONTENT: [f"multipart/mixed; boundary={n}"]})
        for n in range(30)
    ]
    pipeline.collector.send(*parts, request(route="/other"), resource={"service.name": "camera"})
    expected = {("/camera", ""): 30, ("/other", ""): 1}
    pipeline.prometheus.wait_for(
        lambda sink: counts(sink, DURATIONS, "camera") == expected, f"{expected}"
    )
