"""Runs every producer at once behind one collector, and sends each its requests."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from otelcol_runner.polling import NotSeenError, poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.telemetry import span
from pytest_otelcol.collector import Otelcol

from tests.producers.findings import Findings, findings
from tests.producers.producers import PRODUCERS, Producer
from tests.producers.traffic import Request, forty, send, send_last
from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline


def run(otelcol: Otelcol, folder: Path) -> list[Findings]:
    """Return what arrived of each producer by the time that all of them have ended."""
    plan = [(producer, forty(number)) for number, producer in enumerate(PRODUCERS)]
    with run_pipeline(otelcol, DEVELOPMENT, folder, {}) as pipeline:
        with ThreadPoolExecutor(len(plan)) as pool:
            list(pool.map(lambda each: serve(pipeline, *each), plan))
        wait_for_the_end(pipeline)
        return [findings(pipeline, *each) for each in plan]


def serve(pipeline: Pipeline, producer: Producer, requests: list[Request]) -> None:
    """Run a producer while it serves its requests and sends its telemetry."""
    port, collector = free_port(), pipeline.collector
    grpc = f"http://{collector.env['OTLP_GRPC_LISTEN']}"
    url = f"http://127.0.0.1:{port}"
    with producer.process(port, collector.endpoint, grpc):
        send(url, requests)
        since = time.time() * 1000

        def whole() -> bool:
            own = pipeline.prometheus.series("target_info", {"job": producer.name})
            metrics = any(one.timestamp > since for series in own for one in series.samples)
            found = findings(pipeline, producer, requests)
            return metrics and len(found.servers) >= len(requests)

        with suppress(NotSeenError):  # the test of the producer says what is missing
            poll_until(whole, "its metrics and spans", timeout=20)
        send_last(url)


def wait_for_the_end(pipeline: Pipeline) -> None:
    """Wait until a last request's count and span have arrived, after those of all producers."""
    last = span("GET", {"http.request.method": "GET"}, kind="SERVER")
    pipeline.collector.send(last, resource={"service.name": "last"})
    pipeline.prometheus.wait_for_series("agentical_requests_total", {"job": "last"})
    pipeline.logfire.wait_for(
        lambda sink: any(one.resource["service.name"] == "last" for one in sink.spans), "the last"
    )
