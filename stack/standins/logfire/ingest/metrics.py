"""Metric data points as rows of the table `metrics`, one row per point."""

from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)

from stack.standins.logfire.ingest.decoded import Decoded, Row
from stack.standins.logfire.ingest.values import (
    attributes_of,
    json_of,
    resource_columns,
    scope_columns,
)

TEMPORALITY = {1: "DELTA", 2: "CUMULATIVE"}
NO_BUCKETS: Row = (None,) * 2
NO_EXPONENTIAL: Row = (None,) * 7


def decode_metrics(body: bytes) -> Decoded:
    """Return the rows of a metrics export; raises protobuf's `DecodeError`."""
    decoded = Decoded("metrics")
    for resource_metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        resource = resource_columns(resource_metrics.resource)
        for scope_metrics in resource_metrics.scope_metrics:
            shared = scope_columns(scope_metrics.scope) + resource
            for metric in scope_metrics.metrics:
                add_metric(decoded, metric, shared)
    return decoded


def add_metric(decoded: Decoded, metric: Metric, shared: Row) -> None:
    kind = metric.WhichOneof("data") or "none"
    data: Any = getattr(metric, kind, None)
    points = getattr(data, "data_points", ())
    head = (
        metric.name,
        kind,
        metric.unit or None,
        metric.description or None,
        TEMPORALITY.get(getattr(data, "aggregation_temporality", 0)),
        data.is_monotonic if kind == "sum" else None,
    )
    for point in points:
        if kind == "summary":
            decoded.reject("summaries are not supported")
        elif decoded.in_window(point.time_unix_nano):
            started = point.start_time_unix_nano // 1000 or None
            times = (point.time_unix_nano // 1000, started)
            attributes = json_of(attributes_of(point.attributes))
            decoded.rows.append((*times, *head, attributes, *values_of(kind, point), *shared))


def values_of(kind: str, point: Any) -> Row:
    """Return the columns from `scalar_value` on."""
    if kind == "histogram":
        return histogram(point)
    if kind == "exponential_histogram":
        return exponential(point)
    return scalar(point)


def scalar(point: NumberDataPoint) -> Row:
    value = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
    return (float(value), *(None,) * 4, *NO_BUCKETS, *NO_EXPONENTIAL)


def totals(point: HistogramDataPoint | ExponentialHistogramDataPoint) -> Row:
    low = point.min if point.HasField("min") else None
    high = point.max if point.HasField("max") else None
    return low, high, point.count, point.sum


def histogram(point: HistogramDataPoint) -> Row:
    buckets = (list(point.bucket_counts), list(point.explicit_bounds))
    return (None, *totals(point), *buckets, *NO_EXPONENTIAL)


def exponential(point: ExponentialHistogramDataPoint) -> Row:
    return (
        None,
        *totals(point),
        *NO_BUCKETS,
        point.scale,
        point.zero_count,
        point.zero_threshold,
        list(point.positive.bucket_counts),
        point.positive.offset,
        list(point.negative.bucket_counts),
        point.negative.offset,
    )
