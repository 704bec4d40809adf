"""One measurement of one variant, in its own process, with a receiver of its telemetry."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.lifetime import run
from otelcol_runner.ports import accepts, free_port
from otelcol_runner.process import Process
from pytest_otelcol.recorder import Response, decompressed
from pytest_otelcol.server import RecordingServer

from bench.machine import cpu_seconds
from bench.producers.service import FASTAPI, TRACED
from stack.paths import ROOT
from stack.services.folders import scratch
from stack.services.postgres import Postgres
from stack.services.producers import inherited
from stack.services.redis import Redis

WARM_UP = 400
CLIENTS = 8
Figures = dict[str, float]


class Receiver(RecordingServer):
    """Takes OTLP over HTTP, and counts the SERVER spans that have ended."""

    served = 0

    def describe(self) -> str:
        """Describe what arrived."""
        return f"{self.served} SERVER spans"

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        if path == "/v1/traces":
            encoding = headers.get("content-encoding", "")
            sent = ExportTraceServiceRequest.FromString(decompressed(body, encoding))
            found = [s for r in sent.resource_spans for c in r.scope_spans for s in c.spans]
            with self._lock:
                self.served += sum(map(ended_server_span, found))
        return 200, {}, b""

    def _forget(self) -> None:
        self.served = 0


def ended_server_span(span: Span) -> bool:
    """Return whether it is a request's finished span, not the pending one of the logfire SDK."""
    pending = (attribute.key == "logfire.pending_parent_id" for attribute in span.attributes)
    return bool(span.kind == Span.SPAN_KIND_SERVER) and not any(pending)


def in_process(
    name: str,
    variant: str,
    requests: int,
    receiver: Receiver,
    env: Mapping[str, str],
    unit: str = "cpu",
) -> Figures:
    """Run the application without a server; returns microseconds of CPU, or calls, per request."""
    done = run(
        [sys.executable, "-m", "bench.producers.drive", name, variant, str(requests), unit],
        env=variables(variant, receiver, env),
        cwd=ROOT,
    )
    if done.returncode:
        raise RuntimeError(f"{name}, {variant}: {done.stderr}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def through_server(
    name: str, variant: str, requests: int, receiver: Receiver, env: Mapping[str, str]
) -> Figures:
    """Serve a closed loop of clients; returns microseconds of CPU per request.

    The time counts from the first request until the last span has arrived.
    """
    port = free_port()
    command = [sys.executable, "-m", "bench.producers.service", name, variant, str(port)]
    service = Process(
        f"{name}, {variant}",
        command,
        env=variables(variant, receiver, env),
        clean_env=True,
        cwd=ROOT,
        ready=lambda: accepts(port),
        ready_timeout=60,
    )

    def ask(times: int) -> None:
        expected = receiver.served + times
        load = [sys.executable, "-m", "bench.producers.load", name]
        run([*load, str(port), str(times), str(CLIENTS)], cwd=ROOT).check_returncode()
        if variant in TRACED:
            receiver.wait_for(lambda r: r.served >= expected, f"{expected} spans", timeout=60)

    with service:
        ask(WARM_UP)
        before = cpu_seconds(service.pid)
        ask(requests)
        return {"cpu": (cpu_seconds(service.pid) - before) / requests * 1e6}


def variables(variant: str, receiver: Receiver, env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment; everything else has its default."""
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **env}
    if variant in {"bare", "ours", FASTAPI}:
        given["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # these variants do not use the logfire SDK
    return {**inherited(), **given}


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Run Postgres and Redis; yields the variables with their addresses."""
    with ExitStack() as stack:
        folders = [scratch(f"bench-{name}") for name in ("postgres", "redis")]
        for folder in folders:
            stack.callback(shutil.rmtree, folder)
        postgres = stack.enter_context(Postgres(free_port(), folders[0], password="bench"))  # noqa: S106
        redis = stack.enter_context(Redis(free_port(), folders[1]))
        yield {
            "POSTGRES_PORT": str(postgres.port),
            "POSTGRES_PASSWORD": postgres.password,
            "REDIS_PORT": str(redis.port),
        }
