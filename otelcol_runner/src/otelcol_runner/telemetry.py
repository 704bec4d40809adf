"""Builders of telemetry as OTLP messages."""

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otelcol_runner.views import Event, Link

Attributes = Mapping[str, object]
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA

SCALARS = (  # bool before int: a bool is an int
    (bool, "bool_value"),
    (str, "string_value"),
    (int, "int_value"),
    (float, "double_value"),
    (bytes, "bytes_value"),
)


def trace_id() -> str:
    """Return a new trace id: 32 hex digits."""
    return secrets.token_hex(16)


def span_id() -> str:
    """Return a new span id: 16 hex digits."""
    return secrets.token_hex(8)


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: str = "INTERNAL",
    trace: str | None = None,
    parent: str = "",
    duration: float = 0.01,
    status: str = "UNSET",
    message: str = "",
    events: Iterable[Event] = (),
    links: Iterable[Link] = (),
    trace_state: str = "",
    ended: float = 0.0,
) -> Span:
    """Return a span that ended `ended` seconds ago and took `duration` seconds.

    Its id is new; so is its trace's, unless `trace` (hex) is given. `kind` and `status` are OTLP's
    names without their prefix ("SERVER", "ERROR").
    """
    end = time.time_ns() - int(ended * 1e9)
    return Span(
        name=name,
        kind=Span.SpanKind.Value(f"SPAN_KIND_{kind}"),
        trace_id=bytes.fromhex(trace or trace_id()),
        span_id=secrets.token_bytes(8),
        parent_span_id=bytes.fromhex(parent),
        start_time_unix_nano=end - int(duration * 1e9),
        end_time_unix_nano=end,
        attributes=key_values(attributes),
        events=[_event(event, end) for event in events],
        links=[_link(link) for link in links],
        status=Status(code=Status.StatusCode.Value(f"STATUS_CODE_{status}"), message=message),
        trace_state=trace_state,
    )


def log(
    body: object,
    attributes: Attributes | None = None,
    *,
    severity: str = "INFO",
    trace: str = "",
    span: str = "",
) -> LogRecord:
    """Return a log record of this moment; `trace` and `span` are ids as hex."""
    numbers = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
    return LogRecord(
        time_unix_nano=time.time_ns(),
        severity_text=severity,
        severity_number=numbers[severity],  # type: ignore[arg-type]
        body=any_value(body),
        attributes=key_values(attributes),
        trace_id=bytes.fromhex(trace),
        span_id=bytes.fromhex(span),
    )


def gauge(name: str, value: float, attributes: Attributes | None = None, unit: str = "1") -> Metric:
    """Return a gauge with one point of this moment."""
    return Metric(name=name, unit=unit, gauge=Gauge(data_points=[_number(value, attributes)]))


def counter(
    name: str, value: float, attributes: Attributes | None = None, *, unit: str = "1",
    monotonic: bool = True, delta: bool = False,
) -> Metric:  # fmt: skip
    """Return a sum with one point of this moment, counted since a minute ago."""
    data = Sum(
        data_points=[_number(value, attributes)],
        is_monotonic=monotonic,
        aggregation_temporality=DELTA if delta else CUMULATIVE,
    )
    return Metric(name=name, unit=unit, sum=data)


def histogram(
    name: str,
    values: Sequence[float],
    attributes: Attributes | None = None,
    *,
    unit: str = "s",
    bounds: Sequence[float] = (0.1, 1.0),
) -> Metric:
    """Return a histogram of these values with explicit upper bounds."""
    edges = [float("-inf"), *bounds, float("inf")]
    counts = [sum(low < value <= high for value in values) for low, high in pairwise(edges)]
    now = time.time_ns()
    point = HistogramDataPoint(
        start_time_unix_nano=now - 60 * 10**9,
        time_unix_nano=now,
        attributes=key_values(attributes),
        count=len(values),
        sum=sum(values),
        bucket_counts=counts,
        explicit_bounds=bounds,
    )
    data = Histogram(data_points=[point], aggregation_temporality=CUMULATIVE)
    return Metric(name=name, unit=unit, histogram=data)


def any_value(value: object) -> AnyValue:
    """Return a Python value as OTLP. Raises `TypeError` for a value that OTLP cannot carry."""
    match value:
        case None:
            return AnyValue()
        case Mapping():
            return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
        case list() | tuple():
            return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
    for kind, field in SCALARS:
        if isinstance(value, kind):
            scalar = AnyValue()
            setattr(scalar, field, value)
            return scalar
    raise TypeError(f"OTLP has no value for {type(value).__name__}")


def key_values(attributes: Attributes | None) -> list[KeyValue]:
    """Return a mapping as OTLP attributes."""
    pairs = (attributes or {}).items()
    return [KeyValue(key=name, value=any_value(value)) for name, value in pairs]


def _number(value: float, attributes: Attributes | None) -> NumberDataPoint:
    now = time.time_ns()
    point = NumberDataPoint(
        start_time_unix_nano=now - 60 * 10**9,
        time_unix_nano=now,
        attributes=key_values(attributes),
    )
    if isinstance(value, int):
        point.as_int = value
    else:
        point.as_double = value
    return point


def _event(event: Event, at: int) -> Span.Event:
    return Span.Event(name=event.name, time_unix_nano=at, attributes=key_values(event.attributes))


def _link(link: Link) -> Span.Link:
    return Span.Link(
        trace_id=bytes.fromhex(link.trace_id),
        span_id=bytes.fromhex(link.span_id),
        attributes=key_values(link.attributes),
    )
