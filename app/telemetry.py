"""The one OpenTelemetry bootstrap: traces, metrics and logs leave as OTLP over HTTP.

Everything is set by the standard `OTEL_*` variables; who receives it is not known here.
Call `instrument` where the app is made, and serve inside `exporting`: its threads and its
`service.instance.id` are born in the process that serves, so that forking servers are safe.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI
from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
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

from app.sdk_health import counting_losses, quieten_exporters
from app.tracing import Tracing

LIBRARIES = (
    AsyncPGInstrumentor,
    HTTPXClientInstrumentor,
    RedisInstrumentor,
)
NO_METER = metrics.NoOpMeterProvider()  # the collector makes request metrics from the spans
FLUSH_SECONDS = 5.0
# A batch is tried six times, after 1, 2, 4, 8 and 16 s, and dropped when the next try is due after
# this time. With the default of 10 it survives a collector that is away for 7 s, now for 31 s.
HOLD_SECONDS = "40"
Provider = TracerProvider | MeterProvider | LoggerProvider


class TelemetryError(ValueError):
    """An `OTEL_*` variable asks for what this bootstrap does not do; the message names it."""


def instrument(app: FastAPI | None = None) -> None:
    """Instrument the libraries, and the app before it serves. Raises `TelemetryError`."""
    _check_variables()
    quieten_exporters()
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    os.environ.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", HOLD_SECONDS)
    for library in LIBRARIES:
        instrumentor = library()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(meter_provider=NO_METER)
    if app is not None:
        _trace(app)


def _trace(app: FastAPI) -> None:
    # Newer versions of FastAPI make spans, metrics and logs of their own as soon as there are
    # providers; there is no public switch once the application is made.
    getattr(app, "_telemetry", {}).update(tracing=False, metrics=False, logs=False)
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: Tracing(build(), app.router)  # type: ignore[method-assign]


@contextmanager
def exporting(service_name: str, service_version: str) -> Iterator[None]:
    """Export what happens inside; at the end send what is left, for 5 seconds at most.

    Name and version are defaults: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win.
    Inside, records of the standard `logging` that pass their logger's level go out, with trace
    context, `extra` fields and exceptions.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield
        return
    providers = _providers(_resource(service_name, service_version))
    handler = LoggingHandler(logger_provider=providers[2])
    # What is logged inside an export (by the HTTP client) would cause the next export.
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
    """Make the three providers, with bounded queues, and set them for the process."""
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    if _exports("TRACES"):
        with counting_losses():
            traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    readers = [PeriodicExportingMetricReader(OTLPMetricExporter())] if _exports("METRICS") else []
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    logs = LoggerProvider(resource, shutdown_on_exit=False)
    if _exports("LOGS"):
        with counting_losses():
            logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    trace.set_tracer_provider(traces)
    metrics.set_meter_provider(meters)
    set_logger_provider(logs)
    return traces, meters, logs


def _shut_down(providers: tuple[Provider, ...]) -> None:
    # In daemon threads: with the receiver gone each would retry for tens of seconds.
    threads = [threading.Thread(target=each.shutdown, daemon=True) for each in providers]
    deadline = time.monotonic() + FLUSH_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _check_variables() -> None:
    for signal in ("", "TRACES_", "METRICS_", "LOGS_"):
        _choice(f"OTEL_EXPORTER_OTLP_{signal}PROTOCOL", "http/protobuf")
    for signal in ("TRACES", "METRICS", "LOGS"):
        _exports(signal)


def _exports(signal: str) -> bool:
    return _choice(f"OTEL_{signal}_EXPORTER", "otlp", "none") == "otlp"


def _choice(name: str, *allowed: str) -> str:
    """Return a variable's value, by default the first that is allowed."""
    value = os.environ.get(name, "").strip().lower() or allowed[0]
    if value not in allowed:
        raise TelemetryError(f"{name} must be {' or '.join(allowed)}, or not set")
    return value
