"""A backend is added by one file; tests/faults/ covers its outages."""

from pathlib import Path

from otelcol_runner.telemetry import gauge, log
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from tests.support.pipeline import DEVELOPMENT, StartPipeline
from tests.support.shapes import request

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


def test_a_trace_backend_is_added_by_one_short_file(
    start_pipeline: StartPipeline, tmp_path: Path, otlp_sink: OtlpSink
) -> None:
    assert len(ANOTHER_TRACE_BACKEND.splitlines()) == 12
    added = tmp_path / "also-other.yaml"
    added.write_text(ANOTHER_TRACE_BACKEND)
    pipeline = start_pipeline(*DEVELOPMENT, added, OTHER_ENDPOINT=otlp_sink.url)
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
    pipeline = start_pipeline(*DEVELOPMENT, added, OTHER_ENDPOINT=remote_write_sink.url)
    pipeline.collector.send(request(), gauge("messaging.queue.depth", 4, unit="{message}"))
    for sink in (remote_write_sink, pipeline.prometheus):
        sink.wait_for_series("agentical_requests_total", value=1)
        sink.wait_for_series("agentical_queue_depth", value=4)
