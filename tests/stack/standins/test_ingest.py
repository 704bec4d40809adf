import gzip
import time
import zlib
from http.client import HTTPConnection
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from otelcol_runner.ports import free_port

from stack.services.stand_in import StandIn
from tests.stack.standins.exports import (
    any_value,
    logs,
    metrics,
    pairs,
    post,
    post_bytes,
    span,
    traces,
)


def one(stand_in: StandIn, table: str = "records") -> dict[str, Any]:
    (row,) = stand_in.query(f"SELECT * FROM {table}")
    return row


def subset(row: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in expected}


def test_a_span_fills_the_columns_of_records(stand_in: StandIn) -> None:
    failed = {"exception.type": "ValueError", "exception.message": "oops"}
    sent = span(
        name="GET /agents/{id}",
        parent_span_id=b"parentid",
        status=Status(code=Status.STATUS_CODE_ERROR, message="bad"),
        attributes={
            "http.request.method": "GET",
            "http.route": "/agents/{id}",
            "http.response.status_code": 500,
            "url.path": "/agents/7",
            "nested": {"list": [1, 2.5, True]},
        },
        events=[Span.Event(name="exception", attributes=pairs(failed))],
        links=[Span.Link(trace_id=b"t" * 16, span_id=b"s" * 8)],
    )
    assert post(stand_in, traces(sent)).content == b""
    expected = {
        "kind": "span",
        "level": 17,
        "trace_id": sent.trace_id.hex(),
        "span_id": sent.span_id.hex(),
        "parent_span_id": b"parentid".hex(),
        "span_name": "GET /agents/{id}",
        "duration": 0.5,
        "otel_status_code": "ERROR",
        "otel_status_message": "bad",
        "is_exception": True,
        "exception_type": "ValueError",
        "exception_message": "oops",
        "http_method": "GET",
        "http_route": "/agents/{id}",
        "http_response_status_code": 500,
        "url_path": "/agents/7",
        "service_name": "api",
        "deployment_environment": "test",
        "process_pid": 7,
        "otel_scope_name": "scope",
        "otel_scope_version": "2",
    }
    row = one(stand_in)
    assert subset(row, expected) == expected
    assert row["attributes"]["nested"] == {"list": [1, 2.5, True]}
    assert row["otel_events"][0]["event_name"] == "exception"
    assert row["otel_links"][0]["trace_id"] == (b"t" * 16).hex()
    assert row["otel_resource_attributes"]["service.name"] == "api"


def test_a_log_becomes_a_child_of_its_span(stand_in: StandIn) -> None:
    record = LogRecord(
        time_unix_nano=time.time_ns(),
        severity_number=SeverityNumber.SEVERITY_NUMBER_WARN,
        trace_id=b"t" * 16,
        span_id=b"s" * 8,
        body=any_value("Agent task failed"),
        attributes=pairs({"task_type": "count", "exception.type": "KeyError"}),
    )
    post(stand_in, logs(record))
    expected = {
        "kind": "log",
        "level": 13,
        "message": "Agent task failed",
        "log_body": "Agent task failed",
        "trace_id": (b"t" * 16).hex(),
        "parent_span_id": (b"s" * 8).hex(),
        "duration": None,
        "is_exception": True,
        "exception_type": "KeyError",
    }
    row = one(stand_in)
    assert subset(row, expected) == expected
    assert row["start_timestamp"] == row["end_timestamp"]


def test_the_logfire_sdks_attributes_fill_their_columns(stand_in: StandIn) -> None:
    said = {
        "logfire.span_type": "log",
        "logfire.msg": "hello world",
        "logfire.level_num": 5,
        "logfire.tags": ["a tag"],
        "thing": "world",
    }
    pending = span(attributes={"logfire.span_type": "pending_span"})
    post(stand_in, traces(span(name="hello {thing}", attributes=said), pending))
    expected = {
        "kind": "log",
        "message": "hello world",
        "span_name": "hello {thing}",
        "level": 5,
        "tags": ["a tag"],
        "duration": None,
        "attributes": {"thing": "world"},
    }
    assert subset(one(stand_in), expected) == expected


def test_each_kind_of_metric_becomes_rows(stand_in: StandIn) -> None:
    gauge, total, histogram, exponential = (Metric(name=name, unit="s") for name in "abcd")
    now = time.time_ns()
    gauge.gauge.data_points.add(as_int=3, time_unix_nano=now, attributes=pairs({"k": "v"}))
    total.sum.is_monotonic, total.sum.aggregation_temporality = True, 2  # type: ignore[assignment]
    total.sum.data_points.add(as_double=2.5, time_unix_nano=now)
    histogram.histogram.data_points.add(
        count=3, sum=6.0, bucket_counts=[1, 2], explicit_bounds=[1.5], time_unix_nano=now
    )
    wide = exponential.exponential_histogram.data_points.add(count=1, scale=2, time_unix_nano=now)
    wide.positive.bucket_counts.append(1)
    post(stand_in, metrics(gauge, total, histogram, exponential))
    rows = stand_in.query("SELECT * FROM metrics ORDER BY metric_name")
    assert [row["metric_type"] for row in rows] == [
        "gauge",
        "sum",
        "histogram",
        "exponential_histogram",
    ]
    assert subset(rows[0], {"scalar_value": 3.0, "attributes": {"k": "v"}, "unit": "s"}) == {
        "scalar_value": 3.0,
        "attributes": {"k": "v"},
        "unit": "s",
    }
    assert (rows[1]["is_monotonic"], rows[1]["aggregation_temporality"]) == (True, "CUMULATIVE")
    assert (rows[2]["histogram_bucket_counts"], rows[2]["histogram_min"]) == ([1, 2], None)
    assert rows[3]["exp_histogram_positive_bucket_counts"] == [1]


def test_records_outside_the_window_are_dropped_silently(stand_in: StandIn) -> None:
    day, hour = 24 * 3600.0, 3600.0
    sent = [span(ago=ago) for ago in (day + 60, day - 60, 0.0, 60 - hour, -60 - hour)]
    answer = post(stand_in, traces(*sent))
    assert (answer.status_code, answer.content) == (200, b"")
    counts = stand_in.counts()
    assert (counts["spans"], counts["dropped_out_of_window"]) == (3, 2)


def test_an_invalid_span_is_rejected_and_the_others_are_kept(stand_in: StandIn) -> None:
    answer = post(stand_in, traces(span(), span(trace_id=b"short")))
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 1)
    assert "trace id" in partial.error_message
    assert stand_in.counts()["spans"] == 1


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"authorization": "Bearer wrong"}, 401, "invalid write token"),
        ({"content_type": "application/json"}, 415, "send OTLP as application/x-protobuf"),
        ({"content_encoding": "gzip"}, 400, "not gzip"),
        ({"content_encoding": "br"}, 415, "use gzip"),
    ],
)
def test_a_bad_request_gets_its_status_and_a_sentence(
    stand_in: StandIn, change: dict[str, str], status: int, sentence: str
) -> None:
    answer = post(stand_in, traces(span()), **change)
    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert stand_in.counts()["refused"] == 1


def test_a_value_too_large_for_its_column_is_a_400_and_not_a_crash(stand_in: StandIn) -> None:
    histogram = Metric(name="a")
    histogram.histogram.data_points.add(count=2**64 - 1, time_unix_nano=time.time_ns())
    assert post(stand_in, metrics(histogram)).status_code == 400
    assert post_bytes(stand_in, "/v1/logs", b"\xff\xff").status_code == 400


def test_gzip_is_unpacked_up_to_100_mb(stand_in: StandIn) -> None:
    body = gzip.compress(traces(span()).SerializeToString())
    assert post_bytes(stand_in, "/v1/traces", body, content_encoding="gzip").is_success
    packer = zlib.compressobj(1, wbits=31)
    zeros = bytes(1_000_000)
    bomb = b"".join([*(packer.compress(zeros) for _ in range(101)), packer.flush()])
    answer = post_bytes(stand_in, "/v1/traces", bomb, content_encoding="gzip")
    assert answer.status_code == 413
    cut = post_bytes(stand_in, "/v1/traces", body[:-4], content_encoding="gzip")
    assert (cut.status_code, "truncated" in cut.text) == (400, True)


def test_a_request_that_declares_more_than_100_mb_is_refused_unread(stand_in: StandIn) -> None:
    connection = HTTPConnection("127.0.0.1", stand_in.port, timeout=10)
    connection.putrequest("POST", "/v1/traces")
    connection.putheader("content-length", "100000001")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_memory_is_bounded_and_the_newest_rows_stay() -> None:
    with StandIn(free_port(), rows=50) as small:
        for number in range(30):
            post(small, traces(*(span(name=f"{number}") for _ in range(7))))
        assert small.query("SELECT COUNT(*) AS rows FROM records") == [{"rows": 50}]
        assert small.counts()["forgotten"] == 30 * 7 - 50
        oldest = small.query("SELECT MIN(span_name::int) AS oldest FROM records")
        assert oldest == [{"oldest": 22}]
