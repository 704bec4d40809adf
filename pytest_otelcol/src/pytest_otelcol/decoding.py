"""Decodes OTLP protobuf messages into flat views."""

from collections.abc import Iterable, Iterator

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb_metrics
from opentelemetry.proto.trace.v1.trace_pb2 import Span as PbSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status as PbStatus
from otelcol_runner.views import Attributes, Event, Link, Log, Point, Span, Value


def value_of(value: AnyValue) -> Value:
    """Return an OTLP value as a Python value."""
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return mapping_of(value.kvlist_value.values)
    plain: str | bool | int | float | bytes = getattr(value, which)
    return plain


def mapping_of(pairs: Iterable[KeyValue]) -> Attributes:
    """Return OTLP attributes as a dict."""
    return {pair.key: value_of(pair.value) for pair in pairs}


def spans_of(message: ExportTraceServiceRequest) -> Iterator[Span]:
    """Yield the spans of an export request."""
    for group in message.resource_spans:
        resource = mapping_of(group.resource.attributes)
        for scope in group.scope_spans:
            shared = (resource, scope.scope.name, mapping_of(scope.scope.attributes))
            for span in scope.spans:
                yield _span(span, *shared)


def _span(span: PbSpan, resource: Attributes, scope: str, scope_attributes: Attributes) -> Span:
    return Span(
        name=span.name,
        kind=PbSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        attributes=mapping_of(span.attributes),
        events=tuple(Event(event.name, mapping_of(event.attributes)) for event in span.events),
        links=tuple(
            Link(link.trace_id.hex(), link.span_id.hex(), mapping_of(link.attributes))
            for link in span.links
        ),
        status=PbStatus.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        status_message=span.status.message,
        resource=resource,
        scope=scope,
        scope_attributes=scope_attributes,
        trace_state=span.trace_state,
    )


def logs_of(message: ExportLogsServiceRequest) -> Iterator[Log]:
    """Yield the log records of an export request."""
    for group in message.resource_logs:
        resource = mapping_of(group.resource.attributes)
        for scope in group.scope_logs:
            for record in scope.log_records:
                yield Log(
                    body=value_of(record.body),
                    severity=record.severity_text,
                    severity_number=record.severity_number,
                    attributes=mapping_of(record.attributes),
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                    event_name=record.event_name,
                    time=record.time_unix_nano,
                    resource=resource,
                    scope=scope.scope.name,
                )


def points_of(message: ExportMetricsServiceRequest) -> Iterator[Point]:
    """Yield the data points of an export request."""
    for group in message.resource_metrics:
        resource = mapping_of(group.resource.attributes)
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                yield from _points(metric, resource, scope.scope.name)


def _points(metric: pb_metrics.Metric, resource: Attributes, scope: str) -> Iterator[Point]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    temporality = pb_metrics.AggregationTemporality.Name(
        getattr(data, "aggregation_temporality", 0)
    )
    for point in data.data_points:
        yield Point(
            name=metric.name,
            type=kind,
            unit=metric.unit,
            value=_number(point),
            sum=getattr(point, "sum", None),
            attributes=mapping_of(point.attributes),
            resource=resource,
            scope=scope,
            time=point.time_unix_nano,
            monotonic=getattr(data, "is_monotonic", False),
            temporality=temporality.removeprefix("AGGREGATION_TEMPORALITY_"),
            exemplars=tuple(item.trace_id.hex() for item in getattr(point, "exemplars", ())),
        )


def _number(point: object) -> float:
    if isinstance(point, pb_metrics.NumberDataPoint):
        return float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)
    return float(point.count)  # type: ignore[attr-defined]
