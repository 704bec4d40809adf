"""A slow or missing OTLP receiver does not affect the service."""

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from otelcol_runner.polling import poll_until
from pytest_otelcol.sinks import OtlpSink

from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.service import Service

QUEUE = 64
BATCH = 32
REQUESTS = 120


def test_a_slow_or_lost_receiver_costs_neither_latency_nor_memory(
    postgres: Postgres, redis: Redis
) -> None:
    sink = OtlpSink("otlp receiver")
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        "OTEL_BSP_MAX_QUEUE_SIZE": str(QUEUE),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": str(BATCH),
        "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
        "OTEL_METRICS_EXPORTER": "none",
    }
    with sink, Service(postgres, redis, env, workers=0) as service:
        service.seconds(20)
        well = statistics.median(service.seconds(REQUESTS))
        sink.slow(60)
        slow = statistics.median(service.seconds(REQUESTS))
        sink.stop()
        gone = statistics.median(service.seconds(REQUESTS))
        # Twice, for a busy machine; a blocked export takes seconds.
        assert max(slow, gone) < 2 * well + 0.02

        poll_until(lambda: warnings(service), "a warning on stderr")
        sink.clear()
        sink.accept()
        sink.start()
        service.client.get("/no/such/path")
        sink.wait_for_span("GET", {"url.path": "/no/such/path"}, timeout=20)
        # Of the hundreds of spans made meanwhile: what the queue and one batch in flight held.
        assert len(sink.spans) <= QUEUE + BATCH
        assert "metrics" not in sink.signals

        sink.stop()
        service.client.get("/health")
        assert len(warnings(service)) == 1  # per minute
        started = time.monotonic()
        service.api.stop()
        assert time.monotonic() - started < 8
        assert "Application shutdown complete" in service.api.output()


def test_a_receiver_that_drops_packets_is_tried_again_soon(
    postgres: Postgres, redis: Redis
) -> None:
    """As a connection to the agent's old pod, whose address no one has any more."""
    sink = OtlpSink("otlp receiver")
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_METRICS_EXPORTER": "none"}
    with black_hole(sink.port) as hole, Service(postgres, redis, env, workers=0) as service:
        service.client.get("/no/such/path")
        poll_until(lambda: warnings(service), "a retry, in a fraction of the 40 s", timeout=15)
        hole.close()
        with sink:
            sink.wait_for_span("GET", {"url.path": "/no/such/path"}, timeout=30)


@contextmanager
def black_hole(port: int) -> Iterator[ExitStack]:
    """Listen there with a queue so full that the kernel drops the packets of other clients."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield stack


def warnings(service: Service) -> list[str]:
    """Return OpenTelemetry's lines on stderr."""
    return [line for line in service.api.output().splitlines() if " opentelemetry." in line]
