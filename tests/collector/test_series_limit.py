"""A process with unbounded routes is limited, no other is, and every span is counted."""

from pytest_otelcol.remote_write import RemoteWriteSink

from tests.support.pipeline import DEVELOPMENT, StartPipeline
from tests.support.shapes import request

LIMIT, ROUTES, POST = 100, 10_000, 1_000
# Another process of the same service, and another service.
LIMITED, OTHERS = ("shop", "1"), (("shop", "2"), ("agentical-api", "1"))
COUNTED, REST = "agentical_requests_total", "agentical_overflow_spans_total"


def process(job: str, instance: str) -> dict[str, str]:
    """Return the resource of one process."""
    return {"service.name": job, "service.instance.id": instance}


def labels(job: str, instance: str) -> dict[str, str]:
    """Return the labels of its series."""
    return {"job": job, "instance": instance}


def wait_for_all(sink: RemoteWriteSink, of: tuple[str, str], count: int) -> None:
    """Wait until this many requests of a process are counted, by route or in the overflow."""

    def counted(sink: RemoteWriteSink) -> bool:
        found = [*sink.series(COUNTED, labels(*of)), *sink.series(REST, labels(*of))]
        return sum(item.value for item in found) == count

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
    assert len(sink.series(COUNTED, labels(*LIMITED))) == LIMIT
    assert sink.wait_for_series(REST, labels(*LIMITED)).value == ROUTES - LIMIT
    assert len(sink.series(labels=labels(*LIMITED))) < 30 * LIMIT
