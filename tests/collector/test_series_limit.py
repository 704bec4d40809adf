"""What one process makes too many of is limited: for no other process, kind or class of status."""

from collections.abc import Mapping

from otelcol_runner.telemetry import span
from pytest_otelcol.remote_write import RemoteWriteSink

from tests.support.pipeline import DEVELOPMENT, StartPipeline
from tests.support.shapes import agent, query, redis, request

LIMIT, ROUTES, POST = 100, 10_000, 1_000
# Another process of the same service, and another service.
LIMITED, OTHERS = ("shop", "1"), (("shop", "2"), ("agentical-api", "1"))
COUNTED, REST = "agentical_requests_total", "agentical_overflow_spans_total"
OVERFLOW = {"method": "_OTHER", "endpoint": "overflow"}


def process(job: str, instance: str) -> dict[str, str]:
    """Return the resource of one process."""
    return {"service.name": job, "service.instance.id": instance}


def labels(job: str, instance: str) -> dict[str, str]:
    """Return the labels of its series."""
    return {"job": job, "instance": instance}


def wait_for_all(sink: RemoteWriteSink, of: tuple[str, str], count: int) -> None:
    """Wait until this many requests of a process are counted."""

    def counted(sink: RemoteWriteSink) -> bool:
        return sum(item.value for item in sink.series(COUNTED, labels(*of))) == count

    sink.wait_for(counted, f"{count} requests of {of}", timeout=30)


def test_a_route_explosion_is_limited_per_process_and_fully_counted(
    start_pipeline: StartPipeline,
) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, SERIES_LIMIT=str(LIMIT), SPAN_METRICS_INTERVAL="500ms")
    sink, send = pipeline.prometheus, pipeline.collector.send
    for first in range(0, ROUTES, POST):
        spans = [request(route=f"/made-up/{first + number}") for number in range(POST)]
        send(*spans, resource=process(*LIMITED))
    real = [request(route=f"/real/{number}") for number in range(LIMIT)]
    for other in OTHERS:
        send(*real, resource=process(*other))

    wait_for_all(sink, LIMITED, ROUTES)
    for other in OTHERS:
        wait_for_all(sink, other, LIMIT)
        assert len(sink.series(COUNTED, labels(*other))) == LIMIT
        assert sink.series(REST, labels(*other)) == []
    rest = sink.wait_for_series(COUNTED, {**labels(*LIMITED), **OVERFLOW, "status": "other"})
    assert rest.value == ROUTES - LIMIT
    assert len(sink.series(COUNTED, labels(*LIMITED))) == LIMIT + 1
    over = {**labels(*LIMITED), "limit": "answers"}
    assert sink.wait_for_series(REST, over).value == ROUTES - LIMIT
    assert len(sink.series(labels=labels(*LIMITED))) < 30 * LIMIT


def test_no_kind_of_span_takes_the_place_of_another_and_what_is_too_much_keeps_its_status(
    start_pipeline: StartPipeline,
) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, SERIES_LIMIT=str(LIMIT))
    many = range(3 * LIMIT)
    send, sink = pipeline.collector.send, pipeline.prometheus
    send(*(span(f"charging order {n}") for n in many), resource=process(*LIMITED))
    send(*(query(f"SELECT order_{n}") for n in many), resource=process(*LIMITED))
    send(*(redis(f"GET {n}") for n in many), resource=process(*LIMITED))
    send(*(agent(f"task-{n}", "success") for n in many), resource=process(*LIMITED))
    send(*(request(route=f"/wp-{n}.php", code=404) for n in many), resource=process(*LIMITED))
    send(*(request(route=f"/orders/{n}", code=200) for n in many), resource=process(*LIMITED))
    pay = [request(route="/pay", code=500) for _ in range(50)]
    send(*pay, agent("charge", "error"), resource=process(*LIMITED))

    def wait_for(name: str, value: float, **found: str) -> None:
        sink.wait_for_series(name, {**labels(*LIMITED), **found}, value=value)

    wait_for(COUNTED, 50, method="POST", endpoint="/pay", status="500")
    wait_for("agentical_agent_tasks_total", 1, task_type="charge", status="error")
    send(*(request(route=f"/down/{n}", code=503) for n in many), resource=process(*LIMITED))
    send(*(agent(f"task-{n}", "error") for n in many), resource=process(*LIMITED))
    # Each limit is reached a few series early: spans of other kinds share one in each.
    over: Mapping[str, Mapping[str, str]] = {
        COUNTED: {**OVERFLOW, "status": "5xx"},
        "agentical_request_duration_seconds_count": OVERFLOW,
        "agentical_database_query_duration_seconds_count": {"operation": "overflow"},
        "agentical_redis_operations_total": {"operation": "overflow", "status": "success"},
        "agentical_agent_tasks_total": {"task_type": "overflow", "status": "error"},
        "agentical_agent_task_duration_seconds_count": {"task_type": "overflow"},
    }
    for name, of in over.items():
        sink.wait_for_series(name, {**labels(*LIMITED), **of})
    for status in ("4xx", "other"):
        sink.wait_for_series(COUNTED, {**labels(*LIMITED), **OVERFLOW, "status": status})
    wait_for_all(sink, LIMITED, 9 * LIMIT + 50)
