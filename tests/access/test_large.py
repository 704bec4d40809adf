"""Prompts: what the SDK of a producer sends by default arrives whole, compressed or not."""

from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from otelcol_runner.polling import poll_until
from otelcol_runner.sender import RESOURCE, export_requests
from otelcol_runner.telemetry import span
from pytest_otelcol.collector import Collector, Otelcol

from tests.access.clients import ACCEPTED, Attempt, over_http, request_of
from tests.support.pipeline import DEVELOPMENT, StartPipeline, run_pipeline

SPANS, PROMPT = 600, "a prompt of twenty-one kilobytes, as agents send it. " * 400
EXPORTERS = ("http", "gzip", "grpc")


def exporter(how: str, collector: Collector) -> SpanExporter:
    """Return an exporter of the SDK with its defaults, but for the address and compression."""
    if how == "grpc":
        return GrpcExporter(f"http://{collector.env['OTLP_GRPC_LISTEN']}")
    packed = Compression.Gzip if how == "gzip" else None
    return OTLPSpanExporter(f"{collector.endpoint}/v1/traces", compression=packed)


@pytest.mark.parametrize("how", EXPORTERS)
def test_prompts_in_the_default_batches_of_the_sdk_arrive(
    start_pipeline: StartPipeline, how: str
) -> None:
    pipeline = start_pipeline(*DEVELOPMENT)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter(how, pipeline.collector)))
    tracer = provider.get_tracer("agent")
    for _ in range(SPANS):
        tracer.start_span("chat", attributes={"gen_ai.prompt": PROMPT}).end()
    provider.shutdown()  # flushes

    def arrived() -> int:
        return len(pipeline.logfire.spans)

    poll_until(lambda: arrived() >= SPANS, f"{SPANS} spans", timeout=40, seen=arrived)
    assert {str(item.attributes["gen_ai.prompt"]) for item in pipeline.logfire.spans} == {PROMPT}


def test_a_single_span_of_12_mb_arrives_through_the_guard(otelcol: Otelcol, tmp_path: Path) -> None:
    text = "words " * 1_000_000
    body = request_of(span("long", {"prompt": text, "answer": text}))
    with run_pipeline(otelcol, DEVELOPMENT, tmp_path, {}, guarded=True) as pipeline:
        assert over_http(pipeline.collector, Attempt(body)) == ACCEPTED
        arrived = pipeline.logfire.wait_for_span("long", timeout=30).attributes
    assert (arrived["prompt"], arrived["answer"]) == (text, text)


def test_a_request_near_the_limit_also_reaches_the_viewer(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, "overlays/also-viewer")
    prompts = [span("chat", {"gen_ai.prompt": PROMPT}) for _ in range(1_400)]
    ((_, body),) = export_requests(prompts, RESOURCE, "large")  # 29 MB
    assert over_http(pipeline.collector, Attempt(body)) == ACCEPTED
    for sink in (pipeline.logfire, pipeline.viewer):
        sink.wait_for(lambda found: len(found.spans) == 1_400, "1,400 spans", timeout=40)
