"""OTLP exports for the stand-in's tests, and how to post them."""

import secrets
import time
from typing import Any

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from stack.services.stand_in import StandIn

PATHS: dict[type[Any], str] = {
    ExportTraceServiceRequest: "/v1/traces",
    ExportLogsServiceRequest: "/v1/logs",
    ExportMetricsServiceRequest: "/v1/metrics",
}
KINDS = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
SCOPE = InstrumentationScope(name="scope", version="2")


def pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def any_value(value: Any) -> AnyValue:
    found = AnyValue()
    if isinstance(value, dict):
        found.kvlist_value.values.extend(pairs(value))
    elif isinstance(value, list):
        found.array_value.values.extend(any_value(item) for item in value)
    else:
        setattr(found, KINDS[type(value)], value)
    return found


def resource(service: str = "api", environment: str = "test") -> Resource:
    names = {"service.name": service, "deployment.environment.name": environment}
    return Resource(attributes=pairs({**names, "process.pid": 7}))


def span(*, ago: float = 0.0, seconds: float = 0.5, **fields: Any) -> Span:
    start = time.time_ns() - int(ago * 1e9)
    fields["attributes"] = pairs(fields.get("attributes", {}))
    ids = {"trace_id": secrets.token_bytes(16), "span_id": secrets.token_bytes(8)}
    made = Span(start_time_unix_nano=start, end_time_unix_nano=start + int(seconds * 1e9))
    for name, value in {"name": "GET /x", **ids, **fields}.items():
        if isinstance(value, (list, tuple)):
            getattr(made, name).extend(value)
        elif hasattr(value, "SerializeToString"):
            getattr(made, name).CopyFrom(value)
        else:
            setattr(made, name, value)
    return made


def traces(*spans: Span, service: str = "api", environment: str = "test") -> Any:
    scoped = ScopeSpans(scope=SCOPE, spans=spans)
    of = resource(service, environment)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=of, scope_spans=[scoped])]
    )


def logs(*records: LogRecord) -> Any:
    scoped = ScopeLogs(scope=SCOPE, log_records=records)
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=resource(), scope_logs=[scoped])]
    )


def metrics(*found: Metric) -> Any:
    scoped = ScopeMetrics(scope=SCOPE, metrics=found)
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=resource(), scope_metrics=[scoped])]
    )


def post(stand_in: StandIn, export: Any, **headers: str) -> httpx.Response:
    return post_bytes(stand_in, PATHS[type(export)], export.SerializeToString(), **headers)


def post_bytes(stand_in: StandIn, path: str, body: bytes, **headers: str) -> httpx.Response:
    sent = {
        "authorization": f"Bearer {stand_in.write_token}",
        "content-type": "application/x-protobuf",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return stand_in.client.post(path, content=body, headers=sent, timeout=30)
