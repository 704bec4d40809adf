"""A service that makes up routes without end is limited; no other is, and every span is counted."""

from pytest_otelcol.remote_write import RemoteWriteSink

from tests.collector.conftest import StartPipeline
from tests.collector.pipeline import DEVELOPMENT
from tests.collector.shapes import request

LIMIT, ROUTES, POST = 100, 10_000, 1_000
COUNTED, REST = "agentical_requests_total", "agentical_overflow_spans_total"


def process(job: str, instance: str) -> dict[str, str]:
    """Return the resource of one process."""
    return {"service.name": job, "service.instance.id": instance}


def total(sink: RemoteWriteSink, name: str, job: str, instance: str) -> float:
    """Return what the series of a process say together."""
    found = sink.series(name, {"job": job, "instance": instance})
    return sum(item.value for item in found)


def test_ten_thousand_routes_are_limited_to_their_process_and_all_are_counted(
    start_pipeline: StartPipeline,
) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, SERIES_LIMIT=str(LIMIT), SPAN_METRICS_INTERVAL="500ms")
    sink, send = pipeline.prometheus, pipeline.collector.send
    for first in range(0, ROUTES, POST):
        spans = [request(route=f"/made-up/{first + number}") for number in range(POST)]
        send(*spans, resource=process("shop", "1"))
    others = [("shop", "2"), ("agentical-api", "1")]
    for other in others:
        send(
            *(request(route=f"/real/{number}") for number in range(LIMIT)), resource=process(*other)
        )

    counted = lambda _: total(sink, COUNTED, "shop", "1") + total(sink, REST, "shop", "1")  # noqa: E731
    sink.wait_for(lambda sink: counted(sink) == ROUTES, "every request of it", timeout=30)
    for other in others:
        sink.wait_for(lambda sink: total(sink, COUNTED, *other) == LIMIT, f"all of {other}")  # noqa: B023
        assert sink.series(REST, dict(zip(("job", "instance"), other, strict=True))) == []
    of_it = sink.series(COUNTED, {"job": "shop", "instance": "1"})
    assert len(of_it) == LIMIT
    assert total(sink, REST, "shop", "1") == ROUTES - LIMIT
    limited = sink.series(labels={"job": "shop", "instance": "1"})
    assert len(limited) < 30 * LIMIT
