"""One uniquely tagged trace, log and metric as OTLP requests, sent over plain HTTP."""

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from stack.query import clock_offset

NAME = "doctor.probe"  # in Prometheus: doctor_probe
PATHS = {"trace": "/v1/traces", "log": "/v1/logs", "metric": "/v1/metrics"}
PROTOBUF = {"content-type": "application/x-protobuf"}


@dataclass(frozen=True)
class Sent:
    """What became of sending one signal."""

    at: float  # time.monotonic()
    status: int | None = None  # None: nobody answered
    said: str = ""
    clock_offset: float | None = None  # seconds the receiver's clock is ahead

    @property
    def accepted(self) -> bool:
        """Whether the receiver took it."""
        return self.status == 200


def attribute(key: str, value: str) -> KeyValue:
    """Return a text attribute."""
    return KeyValue(key=key, value=AnyValue(string_value=value))


SCOPE = InstrumentationScope(name="agentical.doctor")


def requests(probe_id: str) -> dict[str, Any]:
    """Return the three requests; `probe_id` (32 hex digits) is the trace id and an attribute."""
    tags = [attribute("probe_id", probe_id)]
    resource = Resource(
        attributes=[
            attribute("service.name", "agentical-doctor"),
            attribute("service.instance.id", probe_id),
        ]
    )
    spans = ScopeSpans(scope=SCOPE, spans=[span(bytes.fromhex(probe_id), tags)])
    logs = ScopeLogs(scope=SCOPE, log_records=[log(bytes.fromhex(probe_id), tags)])
    metrics = ScopeMetrics(scope=SCOPE, metrics=[metric(tags)])
    return {
        "trace": ExportTraceServiceRequest(
            resource_spans=[ResourceSpans(resource=resource, scope_spans=[spans])]
        ),
        "log": ExportLogsServiceRequest(
            resource_logs=[ResourceLogs(resource=resource, scope_logs=[logs])]
        ),
        "metric": ExportMetricsServiceRequest(
            resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[metrics])]
        ),
    }


def span(trace_id: bytes, tags: list[KeyValue]) -> Span:
    """Return the span.

    It is an error, so that every sampling policy keeps it; and an internal one, so that no
    request is counted for it.
    """
    now = time.time_ns()
    return Span(
        trace_id=trace_id,
        span_id=secrets.token_bytes(8),
        name=NAME,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=now - 1_000_000,
        end_time_unix_nano=now,
        attributes=tags,
        status=Status(code=Status.STATUS_CODE_ERROR, message="not a fault: errors are always kept"),
    )


def log(trace_id: bytes, tags: list[KeyValue]) -> LogRecord:
    """Return the log record, of the same trace."""
    return LogRecord(
        trace_id=trace_id,
        time_unix_nano=time.time_ns(),
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        body=AnyValue(string_value=NAME),
        attributes=tags,
    )


def metric(tags: list[KeyValue]) -> Metric:
    """Return the gauge; without a unit, so that its name gets no suffix in Prometheus."""
    point = NumberDataPoint(time_unix_nano=time.time_ns(), as_double=1.0, attributes=tags)
    return Metric(name=NAME, gauge=Gauge(data_points=[point]))


def send(endpoint: str, probe_id: str) -> dict[str, Sent]:
    """Send all three, with the standard `OTEL_EXPORTER_OTLP_HEADERS`; failures are results."""
    with httpx.Client(headers={**configured_headers(os.environ), **PROTOBUF}, timeout=10) as client:
        return {
            signal: post(client, endpoint.rstrip("/") + PATHS[signal], body.SerializeToString())
            for signal, body in requests(probe_id).items()
        }


def post(client: httpx.Client, url: str, body: bytes) -> Sent:
    """Send one request."""
    begun = time.monotonic()
    try:
        answer = client.post(url, content=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Sent(begun, said=str(error) or type(error).__name__)
    said = "".join(char for char in answer.text if char.isprintable()).strip()[:200]
    return Sent(begun, answer.status_code, said, clock_offset(answer))


def configured_headers(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of `OTEL_EXPORTER_OTLP_HEADERS` ("name=value,name=value")."""
    text = variables.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    pairs = [pair.split("=", 1) for pair in text.split(",") if "=" in pair]
    return {name.strip(): unquote(value.strip()) for name, value in pairs}
