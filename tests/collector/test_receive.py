"""What producers send is counted once and in full, whatever they leave out: the stage receive."""

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import permutations

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Metric,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import DELTA, counter, gauge, histogram, log, span
from pytest_otelcol.remote_write import RemoteWriteSink, Series

from stack.clients.prometheus import PromQL
from stack.services.prometheus import Prometheus
from tests.support.ledger import LOGFIRE, assert_balanced, read
from tests.support.pipeline import DEVELOPMENT, Pipeline, StartPipeline
from tests.support.shapes import request

SHOP = {"job": "shop"}
POD = {"k8s.namespace.name": "prod", "k8s.pod.name": "shop-0"}
# What a producer says of itself, and the instance that results from it.
IDENTITIES: list[tuple[dict[str, object], str]] = [
    ({"service.instance.id": "own", "host.name": "h", "process.pid": 7}, "own"),
    ({"service.instance.id": "", "host.name": "h"}, "h"),
    ({"host.name": "h", "process.pid": 7}, "h/7"),
    ({"host.id": "machine"}, "machine"),
    ({"k8s.pod.uid": "", "k8s.pod.name": "", "container.id": "", "host.name": "h"}, "h"),
    ({"container.id": "c0ffee", "host.name": "h", "process.pid": 7}, "c0ffee/7"),
    ({**POD, "host.name": "h"}, "prod/shop-0"),
    (
        {**POD, "k8s.pod.uid": "uid", "k8s.container.name": "web", "container.id": "c"},
        "uid/web",
    ),
]


@pytest.mark.parametrize(("resource", "instance"), IDENTITIES, ids=lambda case: str(case))
def test_all_signals_have_the_same_instance(
    pipeline: Pipeline, resource: dict[str, object], instance: str
) -> None:
    job = f"identity-{IDENTITIES.index((resource, instance))}"
    sent = (request(), log("one"), counter("things", 1))
    pipeline.collector.send(*sent, resource={"service.name": job} | resource)
    for name in ("agentical_requests_total", "things_total"):
        pipeline.prometheus.wait_for_series(name, {"job": job, "instance": instance}, value=1)
    own = {"service.name": job, "service.instance.id": instance}
    pipeline.logfire.wait_for(
        lambda sink: (
            any(own.items() <= item.resource.items() for item in sink.spans)
            and any(own.items() <= item.resource.items() for item in sink.logs)
        ),
        f"span and log of {instance}",
    )


def test_two_processes_never_share_a_series(pipeline: Pipeline) -> None:
    counts = {"pod-a": 300, "pod-b": 90}
    for host, count in counts.items():
        spans = [request() for _ in range(count)]
        resource = {"service.name": "shop", "host.name": host}
        pipeline.collector.send(*spans, counter("sold", count), resource=resource)
    for name in ("agentical_requests_total", "sold_total"):
        both = partial(has, counts, name)
        pipeline.prometheus.wait_for(both, f"390 of 390 in two series of {name}")


def has(counts: dict[str, int], name: str, sink: RemoteWriteSink) -> bool:
    return by_instance(sink.series(name, SHOP)) == counts


def by_instance(series: Iterable[Series]) -> dict[str, float]:
    return {item.labels["instance"]: item.value for item in series}


def test_unidentified_processes_with_different_resources_have_their_own_series(
    pipeline: Pipeline,
) -> None:
    """The instance depends on what the resource says, not on the order in which it says it."""
    pairs = [("service.name", "unidentified"), ("zone", "a"), ("service.version", "1")]
    for number, order in enumerate(permutations(pairs)):
        pipeline.collector.send(counter("seen", number + 1), resource=dict(order))
    pipeline.collector.send(
        counter("seen", 50), resource=dict(pairs) | {"zone": "b", "host.name": ""}
    )
    pipeline.prometheus.wait_for(
        lambda sink: (
            sorted(by_instance(sink.series("seen_total", {"job": "unidentified"})).values())
            == [6, 50]
        ),
        "one series for each resource",
    )


def test_a_producer_without_a_name_is_counted_as_unknown_service(pipeline: Pipeline) -> None:
    resource = {"service.name": "", "host.name": "nameless"}
    for given in (resource, {"host.name": "nameless"}):
        pipeline.collector.send(request(), counter("nameless", 1), log("hm"), resource=given)
    labels = {"job": "unknown_service", "instance": "nameless"}
    pipeline.prometheus.wait_for_series("agentical_requests_total", labels, value=2)
    pipeline.prometheus.wait_for_series("nameless_total", labels, value=1)


def exponential(counts: list[int], *, at: int, since: int) -> Metric:
    point = ExponentialHistogramDataPoint(
        start_time_unix_nano=since, time_unix_nano=at, count=sum(counts), sum=sum(counts), scale=2
    )
    point.positive.bucket_counts.extend(counts)
    data = ExponentialHistogram(data_points=[point], aggregation_temporality=DELTA)
    return Metric(name="spread", unit="s", exponential_histogram=data)


@pytest.mark.parametrize("route", ["routes/hybrid", "routes/logfire-only"])
def test_delta_metrics_are_converted(start_pipeline: StartPipeline, route: str) -> None:
    pipeline = start_pipeline("environments/development", route)
    for _ in range(3):
        spread = histogram("took", [0.05, 0.5])
        spread.histogram.aggregation_temporality = DELTA
        point = spread.histogram.data_points[0]
        sent = (
            counter("orders", 4, delta=True),
            counter("open", -1, delta=True, monotonic=False),
            spread,
            exponential([1, 2], at=point.time_unix_nano, since=point.start_time_unix_nano),
        )
        pipeline.collector.send(*sent)
    expected = {"orders": 12, "open": -3, "took": 6, "spread": 9}
    if route == "routes/logfire-only":
        pipeline.logfire.wait_for(
            lambda sink: (
                expected.items() <= {item.name: item.value for item in sink.points}.items()
            ),
            f"{expected}",
        )
        assert {item.temporality for item in pipeline.logfire.points} <= {
            "UNSPECIFIED",
            "CUMULATIVE",
        }
        return
    for name, value in {"orders_total": 12, "open": -3, "took_seconds_count": 6}.items():
        pipeline.prometheus.wait_for_series(name, value=value)
    assert pipeline.prometheus.series("spread_seconds")


def probes() -> list[Span]:
    """Return four spans of each of ten probes as instrumentations of ASGI make them."""
    event = {"asgi.event.type": "http.response.start"}
    found: list[Span] = []
    for number in range(10):
        path = f"/health/{number}"
        found.append(request("GET", "/health/{n}", 200, attributes={"url.path": path}))
        names = ("receive", "send", "send")
        found += [span(f"GET {path} http {name}", event) for name in names]
    return found


def test_ignored_paths_are_dropped_before_sampling_and_counted_as_such(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline(
        "environments/production",
        "routes/hybrid",
        IGNORED_PATHS="/health/[0-9]+|/readyz",
        TRACE_SAMPLE_PERCENT="100",
        PROMETHEUS_REMOTE_WRITE_ENDPOINT=prometheus.remote_write_endpoint,
        SELF_LAST_REPORT_ENDPOINT=prometheus.last_report_endpoint,
        SELF_METRICS_INTERVAL_MS="300",
    )
    old = {"http.method": "GET", "http.target": "/readyz?full=1", "http.status_code": 503}
    pipeline.collector.send(*probes(), span("GET", old, kind="SERVER", status="ERROR"))
    kept = [request("GET", "/healthy", 200, attributes={"url.path": "/healthy"}), request()]
    kept.append(request("GET", "/readyz", 200, attributes={"url.path": "/mounted/readyz"}))
    client = span("GET", {"url.path": "/health/1"}, kind="CLIENT")
    pipeline.collector.send(*kept, client, span("GET /health/1 http send"))
    lines = assert_balanced(prometheus.url, {"spans": 46})
    assert lines["traces", "stages"].sampled_out == 41
    assert lines["traces", LOGFIRE].delivered == len(pipeline.logfire.spans) == 5
    with PromQL(prometheus.url) as promql:
        assert promql.number("sum(agentical_requests_total)") == 3


def test_points_that_cannot_be_stored_are_refused_one_by_one_and_counted(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline(
        *DEVELOPMENT,
        DELTA_SERIES_LIMIT="2",
        PROMETHEUS_REMOTE_WRITE_ENDPOINT=prometheus.remote_write_endpoint,
        SELF_LAST_REPORT_ENDPOINT=prometheus.last_report_endpoint,
        SELF_METRICS_INTERVAL_MS="300",
    )
    send = pipeline.collector.send
    twice = gauge("level", 1)
    twice.gauge.data_points.add().CopyFrom(twice.gauge.data_points[0])
    twice.gauge.data_points[1].as_int = 2
    send(twice, gauge("neighbour", 3), counter("订单数", 5), counter("总数", 7))
    send(*(counter("orders", 1, {"n": number}, delta=True) for number in range(5)))
    expected = {"name": 2, "duplicate": 1, "delta": 3}

    def dropped() -> bool:
        line = read(prometheus.url).get(("metrics", "stages"))
        return line is not None and line.dropped == expected and abs(line.rest) < 1

    poll_until(dropped, f"{expected}", timeout=30, seen=lambda: read(prometheus.url))
    with PromQL(prometheus.url) as promql:
        assert promql.number("level_ratio") == 2
        assert promql.number("neighbour_ratio") == 3
        assert promql.number("sum(orders_total)") == 2
        assert promql.number('count({__name__=~"_*total"}) or vector(0)') == 0


def active(value: int, attributes: Mapping[str, object]) -> Metric:
    return counter(
        "http.server.active_requests", value, attributes, unit="{request}", monotonic=False
    )


def test_active_requests_count_as_connections_of_a_service_that_counts_none(
    pipeline: Pipeline,
) -> None:
    standard = active(2, {"http.request.method": "GET"})
    other = active(3, {"http.request.method": "POST"})
    other.sum.data_points[0].time_unix_nano = standard.sum.data_points[0].time_unix_nano
    standard.sum.data_points.extend(other.sum.data_points)
    own = counter("http.server.open_connections", 9, unit="{connection}", monotonic=False)
    pipeline.collector.send(standard, resource={"service.name": "standard"})
    pipeline.collector.send(standard, own, resource={"service.name": "both"})
    for job, value in {"standard": 5, "both": 9}.items():
        found = pipeline.prometheus.wait_for_series(
            "agentical_active_connections", {"job": job}, value=value
        )
        assert set(found.labels) == {"job", "instance"}
        of_method = {"job": job, "http_request_method": "GET"}
        pipeline.prometheus.wait_for_series("http_server_active_requests", of_method, value=2)
