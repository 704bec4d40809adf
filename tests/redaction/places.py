"""Telemetry with one text in every place that can carry text."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from otelcol_runner.sender import Sender
from otelcol_runner.telemetry import counter, gauge, histogram, key_values, log, span
from otelcol_runner.views import Event

SERVICE = {"service.name": "redaction"}
TRACE = "/v1/traces"
LOGS = "/v1/logs"
METRICS = "/v1/metrics"
EXPORT = {
    path: f"/opentelemetry.proto.collector.{service}/Export"
    for path, service in {
        TRACE: "trace.v1.TraceService",
        LOGS: "logs.v1.LogsService",
        METRICS: "metrics.v1.MetricsService",
    }.items()
}


@dataclass
class Load:
    """Telemetry with one text: in every place, or only in the attributes given."""

    number: int
    text: str
    everywhere: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.text if self.everywhere else "plain"

    def resource(self) -> Resource:
        mine = {"service.instance.id": str(self.number), "res": self.text, **self.attributes}
        return Resource(attributes=key_values({**SERVICE, **mine}))

    def scope(self) -> InstrumentationScope:
        attributes = key_values({"text": self.text, **self.attributes})
        if not self.everywhere:
            return InstrumentationScope(name="plain", attributes=attributes)
        return InstrumentationScope(name=self.text, version=self.text, attributes=attributes)

    def values(self) -> dict[str, object]:
        """Return attributes with the text as text, in arrays and in maps, and the given ones."""
        return {
            "text": self.text,
            "http.request.header.x-note": [self.text, "b"],
            "db.query.text": f"SELECT {self.text}",
            "map": {"inner": {"deep": [self.text]}},
            **self.attributes,
        }

    def spans(self) -> list[Span]:
        """Return spans that a sampler keeps; the first has the text in every place."""
        exception = {
            "exception.message": self.text,
            "exception.stacktrace": f"Traceback\n{self.text}",
        }
        state = self.text if self.everywhere else ""
        filled = span(
            self.name,
            self.values(),
            kind="SERVER",
            status="ERROR",
            message=state,
            trace_state=state,
            events=[Event(self.name, {**exception, **self.attributes})],
        )
        seen = {"http.route": self.text, "http.request.method": "GET"} if self.everywhere else {}
        named = span(self.name, seen, kind="SERVER", status="ERROR")
        # Under a name that is not exposed.
        said = span("plain", kind="SERVER", status="ERROR", message=state)
        stated = span("plain", kind="SERVER", status="ERROR", trace_state=state)
        return [filled, named, said, stated]

    def logs(self) -> list[LogRecord]:
        """Return records with the text as body, in a map, and in a list."""
        bodies = [self.text, {"inner": {"deep": self.text, "list": [self.text]}}, [self.text]]
        records = [log(body, self.values()) for body in bodies]
        for record in records if self.everywhere else []:
            record.severity_text = record.event_name = self.text
        return records

    def metrics(self) -> list[Metric]:
        """Return metrics with the text as name, description, unit and attribute."""
        found = [
            gauge(f"g.{self.number}", 1, self.values()),
            counter(f"c.{self.number}", 1, self.values()),
            histogram(f"h.{self.number}", [0.1], self.values()),
        ]
        if self.everywhere:
            if self.text.isascii() and self.text.isprintable():  # others are refused as names
                found[0].name = self.text
            found[0].description, found[0].unit = f"about {self.text}", f"in {self.text}"
        return found

    def requests(self) -> Iterator[tuple[str, bytes]]:
        """Return OTLP's path and body of each signal."""
        resource, scope = self.resource(), self.scope()
        spans = ScopeSpans(scope=scope, spans=self.spans())
        logs = ScopeLogs(scope=scope, log_records=self.logs())
        metrics = ScopeMetrics(scope=scope, metrics=self.metrics())
        traces = [ResourceSpans(resource=resource, scope_spans=[spans])]
        records = [ResourceLogs(resource=resource, scope_logs=[logs])]
        points = [ResourceMetrics(resource=resource, scope_metrics=[metrics])]
        yield TRACE, ExportTraceServiceRequest(resource_spans=traces).SerializeToString()
        yield LOGS, ExportLogsServiceRequest(resource_logs=records).SerializeToString()
        yield METRICS, ExportMetricsServiceRequest(resource_metrics=points).SerializeToString()


def requests_of(loads: Iterable[Load]) -> dict[str, bytes]:
    """Return one OTLP body a signal that carries all loads."""
    bodies: dict[str, bytes] = {}
    for load in loads:
        for path, body in load.requests():
            bodies[path] = bodies.get(path, b"") + body  # repeated fields join by concatenation
    return bodies


def send(endpoint: str, bodies: Mapping[str, bytes]) -> None:
    """Send it all to a receiver."""
    for path, body in bodies.items():
        Sender(endpoint).post(path, body)


def send_as_agent(address: str, bodies: Mapping[str, bytes]) -> None:
    """Send it all to a gateway's receiver, over gRPC."""
    with grpc.insecure_channel(address) as channel:
        for path, body in bodies.items():
            channel.unary_unary(EXPORT[path])(body, 30)
