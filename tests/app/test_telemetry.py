"""The telemetry that the API and the worker send."""

from otelcol_runner.views import Log, Span
from pytest_otelcol.sinks import OtlpSink

from tests.support.service import Service

LIBRARIES = {"fastapi", "asyncpg", "redis", "httpx"}


def library(span: Span) -> str:
    return span.scope.rpartition(".")[2]


def whole_trace(sink: OtlpSink, task_id: str, leaf: str = "INSERT") -> list[Span]:
    """Wait for the complete trace of this task, which two processes export independently.

    It is complete when `leaf`, the CONSUMER span and every parent are there.
    """
    done = sink.wait_for(
        lambda s: next(
            (
                x
                for x in s.spans
                if x.kind == "CONSUMER" and x.attributes["messaging.message.id"] == task_id
            ),
            None,
        ),
        f"the CONSUMER span of task {task_id}",
    )

    def trace(s: OtlpSink) -> list[Span] | None:
        spans = [span for span in s.spans if span.trace_id == done.trace_id]
        ids = {span.span_id for span in spans}
        closed = all(span.parent_span_id in {"", *ids} for span in spans)
        return spans if closed and any(span.name == leaf for span in spans) else None

    return sink.wait_for(trace, f"the whole trace, {leaf} included")


def log_in(span: Span, sink: OtlpSink) -> Log:
    """Wait for the log of the span's trace."""
    return sink.wait_for(
        lambda s: next((log for log in s.logs if log.trace_id == span.trace_id), None),
        f"a log in trace {span.trace_id}",
    )


def path_to_root(span: Span, trace: list[Span]) -> list[str]:
    by_id = {each.span_id: each for each in trace}
    names = [span.name]
    while parent := by_id.get(span.parent_span_id):
        span = parent
        names.append(span.name)
    return names


def test_one_trace_leads_from_the_request_through_queue_worker_and_callback_to_postgres(
    service: Service, sink: OtlpSink
) -> None:
    service.client.put("/documents/d1", json={"text": "Telemetry matters."})
    trace = whole_trace(sink, service.run("summarize_document", "d1")["task_id"], "SELECT")
    queue = service.env["TASK_QUEUE"]
    callback = next(s for s in trace if s.name == "SELECT")
    assert path_to_root(callback, trace) == [
        "SELECT",
        "GET /documents/{document_id}",
        "GET",
        "agent_execution",
        f"process {queue}",
        f"send {queue}",
        "POST /agents/{agent_id}/tasks",
    ]
    assert {library(s) for s in trace} >= LIBRARIES
    assert {s.resource["service.name"] for s in trace} == {"agentical-api", "agentical-worker"}
    enqueue = next(s for s in trace if s.kind == "PRODUCER")
    assert enqueue.attributes["messaging.queue.depth"] == 1


def test_spans_follow_the_current_semantic_conventions(service: Service, sink: OtlpSink) -> None:
    trace = whole_trace(sink, service.run("word_statistics", "one")["task_id"])
    request = next(s for s in trace if s.kind == "SERVER")
    assert request.attributes["http.request.method"] == "POST"
    assert request.attributes["http.route"] == "/agents/{agent_id}/tasks"
    assert request.attributes["http.response.status_code"] == 202
    clients = {
        (s.name, s.attributes["db.system.name"]) for s in trace if "db.system.name" in s.attributes
    }
    assert clients == {
        ("INSERT", "postgresql"),
        ("XADD XLEN", "redis"),
        ("XACK XDEL", "redis"),
    }
    assert not [s for s in trace if s.name.endswith((" http send", " http receive"))]


def test_an_execution_has_a_span_and_a_log_with_the_same_fields(
    service: Service, sink: OtlpSink
) -> None:
    trace = whole_trace(sink, service.run("word_statistics", "one two")["task_id"])
    span = next(s for s in trace if s.name == "agent_execution")
    duration = span.attributes["duration_ms"]
    assert span.kind == "INTERNAL"
    assert isinstance(duration, float)
    assert 0 < duration <= (span.end - span.start) / 1e6
    assert span.attributes == {
        "agent_id": "researcher",
        "task_type": "word_statistics",
        "duration_ms": duration,
        "status": "success",
    }
    log = log_in(span, sink)
    assert (log.body, log.severity, log.span_id) == ("Agent task completed", "INFO", span.span_id)
    assert log.attributes == span.attributes


def test_a_failure_is_recorded_on_the_span_and_in_the_log(service: Service, sink: OtlpSink) -> None:
    trace = whole_trace(sink, service.run("summarize_document", "missing-1")["task_id"])
    span = next(s for s in trace if s.name == "agent_execution")
    sentence = "there is no document 'missing-1'"
    assert (span.status, span.status_message) == ("ERROR", sentence)
    assert (span.attributes["status"], span.attributes["error"]) == ("error", sentence)
    (event,) = span.events
    assert event.attributes["exception.message"] == sentence
    log = log_in(span, sink)
    assert (log.body, log.severity, log.span_id) == ("Agent task failed", "ERROR", span.span_id)
    assert log.attributes["exception.type"] == "TaskFailedError"
    assert "in fetch_document" in str(log.attributes["exception.stacktrace"])
    assert log.attributes.items() >= span.attributes.items()


def test_gauges_are_the_only_metrics(service: Service, sink: OtlpSink) -> None:
    service.client.get("/health")  # the connection stays open
    queue = {"messaging.destination.name": service.env["TASK_QUEUE"]}
    sink.wait_for_point("messaging.queue.depth", queue)
    sink.wait_for(
        lambda s: any(p.name == "http.server.open_connections" and p.value >= 1 for p in s.points),
        "an open connection: the test's own",
    )
    pool = sink.wait_for(
        lambda s: (
            {
                (p.resource["service.name"], p.attributes["db.client.connection.state"])
                for p in s.points
                if p.name == "db.client.connection.count"
                and p.attributes["db.client.connection.pool.name"] == "agentical"
            }
            if {p.resource["service.name"] for p in s.points}
            >= {"agentical-api", "agentical-worker"}
            else None
        ),
        "points of both services",
    )
    services = ("agentical-api", "agentical-worker")
    assert pool == {(service, state) for service in services for state in ("idle", "used")}
    # The SDK's own metrics count what it drops.
    assert {p.name for p in sink.points if not p.name.startswith("otel.sdk.")} == {
        "db.client.connection.count",
        "db.client.connection.max",
        "db.client.connection.timeouts",
        "messaging.queue.depth",
        "http.server.open_connections",
    }


def test_polls_and_health_checks_create_no_extra_spans(service: Service, sink: OtlpSink) -> None:
    service.client.get("/health")
    health = sink.wait_for_span("GET /health")
    mine = [s.name for s in sink.spans if s.trace_id == health.trace_id]
    assert mine == ["GET /health"]
    commands = {s.name for s in sink.spans if s.attributes.get("db.system.name") == "redis"}
    assert commands <= {"XADD XLEN", "XACK XDEL"}


def test_a_large_body_does_not_leak_its_trace_into_the_next_request(
    service: Service, sink: OtlpSink
) -> None:
    text = "word " * 50_000
    assert service.client.put("/documents/large", json={"text": text}).status_code == 204
    service.client.get("/documents/large", params={"after": "large"})
    after = sink.wait_for_span("GET /documents/{document_id}", {"url.query": "after=large"})
    assert (after.kind, after.parent_span_id) == ("SERVER", "")


def test_an_unknown_path_has_no_route_and_is_named_by_its_method(
    service: Service, sink: OtlpSink
) -> None:
    service.client.get("/no/such/path")
    span = sink.wait_for_span("GET", {"url.path": "/no/such/path"})
    assert span.kind == "SERVER"
    assert span.attributes["http.response.status_code"] == 404
    assert "http.route" not in span.attributes
