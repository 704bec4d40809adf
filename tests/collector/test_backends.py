"""A backend more is a file more, and a backend that is away is nobody else's trouble."""

from collections import Counter
from pathlib import Path

from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink
from pytest_otelcol.telemetry import gauge, log

from tests.collector.conftest import StartPipeline
from tests.collector.shapes import request

DEFAULT = ("environments/development", "routes/hybrid")
ANOTHER_TRACE_BACKEND = """\
# Additionally, traces to another backend.
processors:
  batch/other: {timeout: 200ms}
exporters:
  otlp_http/other:
    endpoint: ${env:OTHER_ENDPOINT}
service:
  pipelines:
    traces/other:
      receivers: [forward/traces]
      processors: [batch/other]
      exporters: [otlp_http/other]
"""
ANOTHER_METRICS_BACKEND = """\
# Additionally, metrics to another backend.
processors:
  batch/other: {timeout: 200ms}
exporters:
  prometheus_remote_write/other:
    endpoint: ${env:OTHER_ENDPOINT}
    disable_scope_info: true
service:
  pipelines:
    metrics/other:
      receivers: [forward/metrics]
      processors: [batch/other]
      exporters: [prometheus_remote_write/other]
"""
# A queue so small that it is full at once, as in a long outage.
SOON_FULL = """\
processors: {batch/viewer: {send_batch_size: 100, send_batch_max_size: 100}}
exporters: {otlp_http/viewer: {sending_queue: {queue_size: 60000}}}
"""
RETRY_SOON = "exporters: {otlp_http/logfire: {retry_on_failure: {initial_interval: 100ms}}}\n"
REQUESTS, SPANS_EACH = 40, 50
SENT = REQUESTS * SPANS_EACH


def test_a_trace_backend_is_added_by_one_file_of_twelve_lines(
    start_pipeline: StartPipeline, tmp_path: Path, otlp_sink: OtlpSink
) -> None:
    assert len(ANOTHER_TRACE_BACKEND.splitlines()) == 12
    added = tmp_path / "also-other.yaml"
    added.write_text(ANOTHER_TRACE_BACKEND)
    pipeline = start_pipeline(*DEFAULT, added, OTHER_ENDPOINT=otlp_sink.url)
    pipeline.collector.send(request(), log("a log"))
    assert otlp_sink.wait_for_span("POST /agents/{agent_id}/tasks") in pipeline.logfire.wait_for(
        lambda sink: sink.spans, "the same span"
    )
    pipeline.logfire.wait_for_log("a log")
    assert otlp_sink.signals == {"traces"}


def test_a_metrics_backend_is_added_by_one_file(
    start_pipeline: StartPipeline, tmp_path: Path, remote_write_sink: RemoteWriteSink
) -> None:
    added = tmp_path / "also-other.yaml"
    added.write_text(ANOTHER_METRICS_BACKEND)
    pipeline = start_pipeline(*DEFAULT, added, OTHER_ENDPOINT=remote_write_sink.url)
    pipeline.collector.send(request(), gauge("messaging.queue.depth", 4, unit="{message}"))
    for sink in (remote_write_sink, pipeline.prometheus):
        sink.wait_for_series("agentical_requests_total", value=1)
        sink.wait_for_series("agentical_queue_depth", value=4)


def test_a_dead_additive_backend_changes_nothing_at_the_main_ones(
    start_pipeline: StartPipeline, tmp_path: Path
) -> None:
    full = tmp_path / "full.yaml"
    full.write_text(SOON_FULL)
    pipeline = start_pipeline(*DEFAULT, "routes/also-viewer", full)
    pipeline.viewer.stop()
    for number in range(REQUESTS):
        spans = [request() for _ in range(SPANS_EACH)]
        pipeline.collector.send(*spans, log(f"log {number}"))

    pipeline.prometheus.wait_for_series("agentical_requests_total", value=SENT)
    pipeline.logfire.wait_for(lambda sink: len(sink.spans) >= SENT, "every span")
    pipeline.logfire.wait_for(lambda sink: len(sink.logs) >= REQUESTS, "every log")
    arrivals = Counter(item.span_id for item in pipeline.logfire.spans)
    assert (len(arrivals), set(arrivals.values())) == (SENT, {1})
    assert sorted(str(item.body) for item in pipeline.logfire.logs) == sorted(
        f"log {number}" for number in range(REQUESTS)
    )
    assert any("queue is full" in line for line in pipeline.collector.warnings())


def test_a_main_backend_that_was_away_gets_everything_once_it_is_back(
    start_pipeline: StartPipeline, tmp_path: Path
) -> None:
    soon = tmp_path / "retry-soon.yaml"
    soon.write_text(RETRY_SOON)
    pipeline = start_pipeline(*DEFAULT, soon)
    pipeline.logfire.refuse(503)
    pipeline.collector.send(*[request() for _ in range(SPANS_EACH)])
    pipeline.logfire.wait_for(lambda sink: sink.requests, "a refused request")
    pipeline.logfire.accept()
    pipeline.logfire.wait_for(lambda sink: len(sink.spans) == SPANS_EACH, "every span")


def test_what_a_killed_collector_had_taken_arrives_after_its_restart(
    start_pipeline: StartPipeline, tmp_path: Path
) -> None:
    soon = tmp_path / "retry-soon.yaml"
    soon.write_text(RETRY_SOON)
    pipeline = start_pipeline(*DEFAULT, soon)
    backends = (pipeline.logfire, pipeline.prometheus)
    for backend in backends:
        backend.refuse(503)
    spans, logs = [request() for _ in range(SPANS_EACH)], [log(f"log {n}") for n in range(REQUESTS)]
    pipeline.collector.send(*spans, *logs, gauge("messaging.queue.depth", 4, unit="{message}"))
    pipeline.collector.kill()
    for backend in backends:
        backend.accept()
    pipeline.collector.restart()

    pipeline.logfire.wait_for(lambda sink: len(sink.spans) >= SPANS_EACH, "every span")
    pipeline.logfire.wait_for(lambda sink: len(sink.logs) >= REQUESTS, "every log")
    pipeline.prometheus.wait_for_series("agentical_queue_depth", value=4)
    assert len({item.span_id for item in pipeline.logfire.spans}) == len(pipeline.logfire.spans)
    assert len({str(item.body) for item in pipeline.logfire.logs}) == len(pipeline.logfire.logs)
