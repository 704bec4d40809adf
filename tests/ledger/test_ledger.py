"""The loss ledger of a real collector in a real Prometheus with the shipped rules."""

import gzip
import time
from collections.abc import Callable

import httpx
import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.sender import RESOURCE, Telemetry, export_requests
from otelcol_runner.telemetry import counter, gauge, log, span
from pytest_otelcol.sinks import OtlpSink

from stack.clients.prometheus import PromQL
from stack.services.prometheus import Prometheus
from tests.access.clients import PROTOCOLS, TOO_LARGE, Attempt, over_http
from tests.support.ledger import LOGFIRE, Line, assert_balanced, read
from tests.support.pipeline import StartPipeline

VIEWER, SECOND = "otlp_http/viewer", "otlp_http/logfire_second"
HOPS = (LOGFIRE, SECOND)
PROTOBUF = {"content-type": "application/x-protobuf"}
BUFFER, REMOTE_WRITE = "otlp_grpc/metrics_buffer", "prometheus_remote_write"


def spans(count: int, status: str = "UNSET") -> list[Telemetry]:
    return [span("work", status=status) for _ in range(count)]


def wait_for(
    prometheus: Prometheus, signal: str, hop: str, check: Callable[[Line], bool], what: str
) -> Line:
    def found() -> Line | None:
        line = read(prometheus.url).get((signal, hop), Line())
        return line if check(line) else None

    shown = lambda: read(prometheus.url)  # noqa: E731
    return poll_until(found, f"{signal} at {hop}: {what}", timeout=40, seen=shown)


def test_the_ledger_balances_through_rejections_and_outages(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline("environments/development", "routes/hybrid", "overlays/also-viewer")
    # Pending spans are for Logfire only.
    pending = [span("work", {"logfire.span_type": "pending_span"}) for _ in range(10)]
    logs = (log("one"), log("two"))
    pipeline.collector.send(*spans(100), *pending, *logs, counter("things", 1))
    lines = assert_balanced(prometheus.url, {"spans": 110, "logs": 2})
    delivered = [lines["traces", hop].delivered for hop in (LOGFIRE, VIEWER)]
    assert delivered == [110, 100]

    pipeline.logfire.refuse(400)
    pipeline.collector.send(*spans(30))
    lost = wait_for(prometheus, "traces", LOGFIRE, lambda line: bool(line.dropped), "dropped")
    assert (lost.dropped, lost.delivered) == ({"refused_by_backend": 30}, 110)

    pipeline.logfire.stop()
    pipeline.collector.send(*spans(70))
    held = wait_for(prometheus, "traces", LOGFIRE, lambda line: line.waiting > 0, "waiting")
    assert (held.waiting, held.rest) == (70, 0)
    pipeline.logfire.accept()
    pipeline.logfire.start()
    lines = assert_balanced(prometheus.url, {"spans": 210, "logs": 2}, {"spans": 30, "logs": 0})
    assert lines["traces", LOGFIRE].delivered == len(pipeline.logfire.spans) == 180
    check_points(lines)


def check_points(lines: dict[tuple[str, str], Line]) -> None:
    """The queue of points is never empty, since their own report is in it; but none is missing."""
    for hop in ("stages", BUFFER, REMOTE_WRITE):
        line = lines["metrics", hop]
        assert line.delivered > 50, hop
        assert line.dropped == {}, hop


def test_losses_of_an_additive_backend_are_counted_separately(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline("environments/development", "routes/hybrid", "overlays/also-viewer")
    pipeline.viewer.refuse(400)
    pipeline.collector.send(*spans(40))
    lines = assert_balanced(prometheus.url, {"spans": 40})
    assert lines["traces", VIEWER].dropped == {"refused_by_backend": 40}
    assert lines["traces", LOGFIRE].dropped == {}

    pipeline.viewer.stop()  # its queue is in memory and lost when the collector stops
    pipeline.collector.send(*spans(20))
    wait_for(prometheus, "traces", VIEWER, lambda line: line.waiting == 20, "20 waiting")
    pipeline.collector.restart()
    lines = assert_balanced(prometheus.url, {"spans": 60})
    assert lines["traces", VIEWER].dropped == {"refused_by_backend": 40, "stopped": 20}
    assert lines["traces", LOGFIRE].delivered == 60


def test_a_full_queue_counts_as_refused_not_as_lost(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline("environments/development", "routes/hybrid", QUEUE_BYTES="1000000")
    pipeline.collector.send(*spans(100))
    bulky = [span("work", {"text": "x" * 20_000}) for _ in range(60)]  # larger than the queue
    ((path, body),) = export_requests(bulky, RESOURCE, "test")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(pipeline.collector.endpoint + path, content=body, headers=PROTOBUF, timeout=1)
    poll_until(lambda: refused(prometheus) == 60, "60 refused", timeout=20)
    assert_balanced(prometheus.url, {"spans": 100})


def refused(prometheus: Prometheus) -> float:
    with PromQL(prometheus.url) as promql:
        return promql.number('signal:ledger_refused:sum{signal="traces"}')


def test_requests_that_are_refused_before_decoding_are_counted(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline("environments/development", "routes/hybrid")
    over = Attempt(bytes((32 << 20) + 1))
    packed = Attempt(gzip.compress(over.body), encoding="gzip")
    attempts = (("http", over), ("http", packed), ("grpc", over))
    for protocol, attempt in attempts:
        assert PROTOCOLS[protocol](pipeline.collector, attempt) == TOO_LARGE
    other = over_http(pipeline.collector, Attempt(b"", encoding="zstd"))
    assert other.startswith("400 ")
    pipeline.collector.send(*spans(10))

    wanted = {("traces", "400"): 2, ("traces", "RESOURCE_EXHAUSTED"): 1, ("", "400"): 1}
    poll_until(
        lambda: refused_requests(prometheus) == wanted,
        f"refused requests: {wanted}",
        timeout=20,
        seen=lambda: refused_requests(prometheus),
    )
    assert_balanced(prometheus.url, {"spans": 10})


def refused_requests(prometheus: Prometheus) -> dict[tuple[str, str], float]:
    """Return the count by signal and code."""
    query = {"query": "signal_code:ledger_refused_requests:sum"}
    answer = httpx.get(f"{prometheus.url}/api/v1/query", params=query, timeout=5)
    found = answer.raise_for_status().json()["data"]["result"]
    return {
        (each["metric"].get("signal", ""), each["metric"]["code"]): float(each["value"][1])
        for each in found
    }


def test_sampled_out_spans_and_logs_are_counted(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline(
        "environments/production",
        "routes/hybrid",
        TRACE_SAMPLE_PERCENT="0.001",
        LOG_SAMPLE_PERCENT="0.001",
    )
    logs = [log("one", severity=severity, trace="5" * 32) for severity in ("INFO", "WARN")]
    pipeline.collector.send(*spans(90), *spans(10, "ERROR"), *logs)
    lines = assert_balanced(prometheus.url, {"spans": 100, "logs": 2}, {"spans": 90, "logs": 1})
    assert lines["traces", "stages"].sampled_out == 90
    assert lines["logs", "stages"].sampled_out == len(pipeline.logfire.logs) == 1
    assert lines["traces", LOGFIRE].delivered == len(pipeline.logfire.spans) == 10


def test_a_crash_loses_the_samplers_undecided_spans(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline(
        "environments/production", "routes/hybrid", TRACE_DECISION_WAIT="300s"
    )
    pipeline.collector.send(*spans(60), log("one"))
    wait_for(prometheus, "traces", "stages", lambda line: line.waiting == 60, "60 waiting")
    pipeline.collector.kill()
    pipeline.collector.start()
    lines = assert_balanced(prometheus.url, {"spans": 60, "logs": 1}, {"spans": 60, "logs": 0})
    assert lines["traces", "stages"].dropped == {"crash": 60}
    assert lines["logs", LOGFIRE].delivered == len(pipeline.logfire.logs) == 1


def test_the_ledger_is_complete_after_a_graceful_restart(
    start_pipeline: StartPipeline, prometheus: Prometheus
) -> None:
    pipeline = start_pipeline(
        "environments/production", "routes/hybrid", SELF_METRICS_INTERVAL_MS="60000"
    )
    for number in range(1, 4):  # only the last report of each process
        pipeline.collector.send(*spans(50), *spans(10, "ERROR"), log("one"))
        if number < 3:
            pipeline.collector.restart()
    # The sampler decides in order of arrival: once the errors are there, all is decided.
    pipeline.logfire.wait_for(
        lambda sink: sum(item.status == "ERROR" for item in sink.spans) == 30, "all errors"
    )
    pipeline.collector.stop()
    lines = assert_balanced(prometheus.url, {"spans": 180, "logs": 3})
    assert lines["traces", LOGFIRE].delivered == len(pipeline.logfire.spans) >= 30


def test_prometheus_accepts_a_backlog_of_hours_while_rules_are_evaluated(
    prometheus: Prometheus,
) -> None:
    poll_until(lambda: read(prometheus.url), "rules that write")
    point = gauge("late", 1)
    then = time.time_ns() - 20 * 3600 * 10**9
    point.gauge.data_points[0].time_unix_nano = then
    point.gauge.data_points[0].start_time_unix_nano = then
    ((_, body),) = export_requests([point], RESOURCE, "test")
    answer = httpx.post(prometheus.last_report_endpoint, content=body, headers=PROTOBUF)
    assert answer.status_code == 200, answer.text


def test_the_ledger_of_two_projects_balances_for_each(
    start_pipeline: StartPipeline, prometheus: Prometheus, otlp_sink: OtlpSink
) -> None:
    pipeline = start_pipeline(
        "environments/development",
        "routes/hybrid",
        "overlays/two-projects",
        SECOND_NAMESPACE="team-b",
        LOGFIRE_ENDPOINT_SECOND=otlp_sink.url,
        LOGFIRE_TOKEN_SECOND="second",
    )
    otlp_sink.refuse(503)
    pipeline.collector.send(*spans(60), log("one"))
    team_b = {"service.name": "api", "service.namespace": "team-b"}
    pipeline.collector.send(*spans(40), log("two"), log("three"), resource=team_b)
    held = wait_for(prometheus, "traces", SECOND, lambda line: line.waiting > 0, "waiting")
    assert (held.received, held.waiting, held.rest) == (40, 40, 0)

    otlp_sink.accept()
    lines = assert_balanced(prometheus.url, {"spans": 100, "logs": 3})
    got = {hop: (lines["traces", hop].delivered, lines["logs", hop].delivered) for hop in HOPS}
    assert got == {LOGFIRE: (60, 1), SECOND: (40, 2)}
