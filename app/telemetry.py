"""Sets up OpenTelemetry: traces, metrics and logs are exported as OTLP over HTTP.

Everything is configured by the standard `OTEL_*` variables; no backend is named here.
Call `instrument` where the app is created, and serve inside `exporting`: its threads and its
`service.instance.id` then belong to the serving process, so that forking servers are safe.
Give each FastAPI, also one that is mounted, `telemetry=FASTAPI_OFF`, and serve with uvicorn's
`reset_contextvars` (`--reset-contextvars`, `UVICORN_RESET_CONTEXTVARS=true`): else a request with
a large body lends its trace to the next ones of its connection, which are then not counted
(https://github.com/python/cpython/issues/140947).
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from starlette.types import Scope

from app.sdk_health import counting_drops, limit_sdk_logs, unusable_headers

LIBRARIES = (
    AsyncPGInstrumentor,
    HTTPXClientInstrumentor,
    RedisInstrumentor,
)
# For `FastAPI(telemetry=FASTAPI_OFF)`: without FastAPI's own telemetry, which would otherwise look
# for this library at each request, and add exporters if FASTAPI_OTEL_AUTO_CONFIGURE is true.
FASTAPI_OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
NO_METER = metrics.NoOpMeterProvider()  # the collector derives request metrics from the spans
FLUSH_SECONDS = 5.0
# An export is retried after 1, 2, 4, 8 and 16 s; its batch is dropped if the next retry would come
# later than this timeout. With the default of 10 a batch survives an outage of 7 s, with 40 31 s.
EXPORT_TIMEOUT_SECONDS = "40"
# How much of it a connection may take: packets to a receiver that is gone may get no answer, and a
# single connection would wait until its batch is dropped. Long enough for one lost packet.
CONNECT_SECONDS = 2.0
DEFAULTS = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
    "OTEL_EXPORTER_OTLP_TIMEOUT": EXPORT_TIMEOUT_SECONDS,
    # The SDK's default, parentbased_always_on, lets a caller's `traceparent: ...-00` decide that a
    # request makes no span, so that it is not counted either. Sampling is the collector's task.
    "OTEL_TRACES_SAMPLER": "always_on",
}
Provider = TracerProvider | MeterProvider | LoggerProvider


class TelemetryError(ValueError):
    """An `OTEL_*` variable asks for something that is not supported; the message names it."""


def instrument(app: FastAPI | None = None) -> None:
    """Instrument the libraries and, before it serves, the app; raises `TelemetryError`."""
    _check_variables()
    limit_sdk_logs()
    for name, value in DEFAULTS.items():
        if not os.environ.get(name, "").strip():  # the specification: empty is as if not set
            os.environ[name] = value
    for library in LIBRARIES:
        instrumentor = library()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(meter_provider=NO_METER)
    if app is not None:
        FastAPIInstrumentor.instrument_app(
            app,
            meter_provider=NO_METER,
            exclude_spans=["receive", "send"],
            server_request_hook=_only_once,
        )


def _only_once(_: Span, scope: Scope) -> None:
    # FastAPI finds the library in the application that it instruments, but not above a mounted
    # one, which would make a second SERVER span. This is how FastAPI itself excludes a request.
    scope["fastapi.telemetry"] = None


class ShortConnect(HTTPAdapter):
    """Sends requests, and gives up connecting early, so that the exporter tries again."""

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send a request; its timeout is that of the answer."""
        timeout = options.get("timeout")
        if isinstance(timeout, int | float):
            options["timeout"] = (min(CONNECT_SECONDS, timeout), timeout)
        return super().send(request, *args, **options)


@contextmanager
def exporting(service_name: str, service_version: str) -> Iterator[None]:
    """Export telemetry in this context; at its end flush for up to 5 seconds.

    Name and version are defaults: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` override them.
    Records of the standard `logging` that pass their logger's level are exported with their trace
    context, `extra` fields and exceptions.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield
        return
    providers = _providers(_resource(service_name, service_version))
    handler = LoggingHandler(logger_provider=providers[2])
    # A record logged during an export (by the HTTP client) would cause the next export.
    handler.addFilter(lambda _: is_instrumentation_enabled())
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        _shut_down(providers)


def _resource(service_name: str, service_version: str) -> Resource:
    defaults = {"service.name": service_name, "service.version": service_version}
    return Resource.create({**defaults, **OTELResourceDetector().detect().attributes})


def _providers(resource: Resource) -> tuple[TracerProvider, MeterProvider, LoggerProvider]:
    """Create the three providers, with bounded queues, and set them for the process."""
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    if _exports("TRACES"):
        with counting_drops():
            traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(session=_session())))
    readers = []
    if _exports("METRICS"):
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(session=_session())))
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    logs = LoggerProvider(resource, shutdown_on_exit=False)
    if _exports("LOGS"):
        with counting_drops():
            exporter = OTLPLogExporter(session=_session())
            logs.add_log_record_processor(BatchLogRecordProcessor(exporter))
    trace.set_tracer_provider(traces)
    metrics.set_meter_provider(meters)
    set_logger_provider(logs)
    return traces, meters, logs


def _session() -> Session:
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, ShortConnect())
    return session


def _shut_down(providers: tuple[Provider, ...]) -> None:
    # In daemon threads: without a receiver each would retry for tens of seconds.
    threads = [threading.Thread(target=each.shutdown, daemon=True) for each in providers]
    deadline = time.monotonic() + FLUSH_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _check_variables() -> None:
    for signal in ("", "TRACES_", "METRICS_", "LOGS_"):
        _choice(f"OTEL_EXPORTER_OTLP_{signal}PROTOCOL", "http/protobuf")
        name = f"OTEL_EXPORTER_OTLP_{signal}HEADERS"
        if wrong := unusable_headers(os.environ.get(name, "")):
            raise TelemetryError(f"{name} {wrong}")
    for signal in ("TRACES", "METRICS", "LOGS"):
        _exports(signal)


def _exports(signal: str) -> bool:
    return _choice(f"OTEL_{signal}_EXPORTER", "otlp", "none") == "otlp"


def _choice(name: str, *allowed: str) -> str:
    """Return a variable's value; the first allowed one is the default."""
    value = os.environ.get(name, "").strip().lower() or allowed[0]
    if value not in allowed:
        raise TelemetryError(f"{name} must be {' or '.join(allowed)}, or not set")
    return value
