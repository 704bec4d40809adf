"""The columns of the tables `records` and `metrics`, in the order of a row's values.

Names and types follow https://pydantic.dev/docs/logfire/reference/sql/. JSON columns are text with
metadata, so that a JSON response shows them as objects.
"""

import pyarrow as pa

TEXT, FLOAT, TIME = pa.string(), pa.float64(), pa.timestamp("us", "UTC")
IS_JSON = {"is_json": "true"}


def _json(name: str) -> pa.Field:
    return pa.field(name, TEXT, metadata=IS_JSON)


# The columns of the instrumentation scope and of the resource.
SCOPE = [
    pa.field("otel_scope_name", TEXT),
    pa.field("otel_scope_version", TEXT),
    _json("otel_scope_attributes"),
]
RESOURCE = [
    _json("otel_resource_attributes"),
    pa.field("deployment_environment", TEXT),
    pa.field("service_namespace", TEXT),
    pa.field("service_name", TEXT),
    pa.field("service_version", TEXT),
    pa.field("service_instance_id", TEXT),
    pa.field("process_pid", pa.int32()),
    pa.field("telemetry_sdk_name", TEXT),
    pa.field("telemetry_sdk_language", TEXT),
    pa.field("telemetry_sdk_version", TEXT),
]
RECORDS = pa.schema(
    [
        pa.field("created_at", TIME),
        pa.field("start_timestamp", TIME),
        pa.field("end_timestamp", TIME),
        pa.field("duration", FLOAT),
        pa.field("kind", TEXT),
        pa.field("level", pa.int16()),
        pa.field("trace_id", TEXT),
        pa.field("span_id", TEXT),
        pa.field("parent_span_id", TEXT),
        pa.field("span_name", TEXT),
        pa.field("message", TEXT),
        _json("log_body"),
        pa.field("otel_status_code", TEXT),
        pa.field("otel_status_message", TEXT),
        pa.field("is_exception", pa.bool_()),
        pa.field("exception_type", TEXT),
        pa.field("exception_message", TEXT),
        pa.field("exception_stacktrace", TEXT),
        _json("otel_events"),
        _json("otel_links"),
        _json("attributes"),
        pa.field("tags", pa.list_(TEXT)),
        pa.field("http_response_status_code", pa.int16()),
        pa.field("http_method", TEXT),
        pa.field("http_route", TEXT),
        pa.field("url_full", TEXT),
        pa.field("url_path", TEXT),
        pa.field("url_query", TEXT),
        *SCOPE,
        *RESOURCE,
    ]
)
METRICS = pa.schema(
    [
        pa.field("recorded_timestamp", TIME),
        pa.field("start_timestamp", TIME),
        pa.field("metric_name", TEXT),
        pa.field("metric_type", TEXT),
        pa.field("unit", TEXT),
        pa.field("metric_description", TEXT),
        pa.field("aggregation_temporality", TEXT),
        pa.field("is_monotonic", pa.bool_()),
        _json("attributes"),
        pa.field("scalar_value", FLOAT),
        pa.field("histogram_min", FLOAT),
        pa.field("histogram_max", FLOAT),
        pa.field("histogram_count", pa.int64()),
        pa.field("histogram_sum", FLOAT),
        pa.field("histogram_bucket_counts", pa.list_(pa.int64())),
        pa.field("histogram_explicit_bounds", pa.list_(FLOAT)),
        pa.field("exp_histogram_scale", pa.int32()),
        pa.field("exp_histogram_zero_count", pa.int64()),
        pa.field("exp_histogram_zero_threshold", FLOAT),
        pa.field("exp_histogram_positive_bucket_counts", pa.list_(pa.int64())),
        pa.field("exp_histogram_positive_bucket_counts_offset", pa.int32()),
        pa.field("exp_histogram_negative_bucket_counts", pa.list_(pa.int64())),
        pa.field("exp_histogram_negative_bucket_counts_offset", pa.int32()),
        *SCOPE,
        *RESOURCE,
    ]
)
# The column that a query's time range applies to.
TIME_COLUMN = {"records": "start_timestamp", "metrics": "recorded_timestamp"}
