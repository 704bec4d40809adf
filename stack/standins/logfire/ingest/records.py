"""Spans and log records as rows of the table `records`."""

import os
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from stack.standins.logfire.ingest.decoded import Decoded, Row
from stack.standins.logfire.ingest.values import (
    SMALLINT,
    Attributes,
    attributes_of,
    json_of,
    number_of,
    resource_columns,
    scope_columns,
    text_of,
    value_of,
)

INFO, ERROR = 9, 17
STATUS = {0: None, 1: "OK", 2: "ERROR"}
NO_EXCEPTION = (False, None, None, None)


def decode_traces(body: bytes) -> Decoded:
    """Return the rows of a trace export; raises protobuf's `DecodeError`."""
    decoded = Decoded("records")
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = resource_columns(resource_spans.resource)
        for scope_spans in resource_spans.scope_spans:
            shared = scope_columns(scope_spans.scope) + resource
            for span in scope_spans.spans:
                if len(span.trace_id) != 16 or len(span.span_id) != 8:
                    decoded.reject("a span needs a trace id of 16 bytes and a span id of 8")
                elif decoded.in_window(span.start_time_unix_nano):
                    add_span(decoded, span, shared)
    return decoded


def add_span(decoded: Decoded, span: Span, shared: Row) -> None:
    """Add one span; the Logfire SDK's `logfire.*` attributes go to their columns."""
    attributes = attributes_of(span.attributes)
    kind = attributes.pop("logfire.span_type", "span")
    if kind == "pending_span":
        return
    is_log = kind == "log"
    end = max(span.end_time_unix_nano, span.start_time_unix_nano)
    level = ERROR if span.status.code == 2 else INFO
    row = (
        decoded.now // 1000,
        span.start_time_unix_nano // 1000,
        end // 1000,
        None if is_log else (end - span.start_time_unix_nano) / 1e9,
        "log" if is_log else "span",
        number_of(attributes.pop("logfire.level_num", level), SMALLINT),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex() or None,
        span.name,
        text_of(attributes.pop("logfire.msg", span.name)),
        None,
        STATUS.get(span.status.code),
        span.status.message or None,
        *exception_of(span),
        *events_of(span),
    )
    decoded.rows.append(row + attribute_columns(attributes) + shared)


def decode_logs(body: bytes) -> Decoded:
    """Return the rows of a log export; raises protobuf's `DecodeError`."""
    decoded = Decoded("records")
    for resource_logs in ExportLogsServiceRequest.FromString(body).resource_logs:
        resource = resource_columns(resource_logs.resource)
        for scope_logs in resource_logs.scope_logs:
            shared = scope_columns(scope_logs.scope) + resource
            for log in scope_logs.log_records:
                if decoded.in_window(log.time_unix_nano or log.observed_time_unix_nano):
                    add_log(decoded, log, shared)
    return decoded


def add_log(decoded: Decoded, log: LogRecord, shared: Row) -> None:
    attributes = attributes_of(log.attributes)
    body = value_of(log.body)
    message = text_of(body)
    at = (log.time_unix_nano or log.observed_time_unix_nano) // 1000
    raised = "exception.type" in attributes or "exception.message" in attributes
    row = (
        decoded.now // 1000,
        at,
        at,
        None,
        "log",
        number_of(log.severity_number, SMALLINT) or INFO,
        log.trace_id.hex() or None,
        os.urandom(8).hex(),
        log.span_id.hex() or None,
        log.event_name or message,
        message,
        None if body is None else json_of(body),
        None,
        None,
        *(exception_columns(attributes) if raised else NO_EXCEPTION),
        None,
        None,
    )
    decoded.rows.append(row + attribute_columns(attributes) + shared)


def exception_of(span: Span) -> Row:
    for event in span.events:
        if event.name == "exception":
            return exception_columns(attributes_of(event.attributes))
    return NO_EXCEPTION


def exception_columns(attributes: Attributes) -> Row:
    names = ("exception.type", "exception.message", "exception.stacktrace")
    return (True, *(text_of(attributes.get(name)) for name in names))


def events_of(span: Span) -> tuple[bytes | None, bytes | None]:
    """Return events and links as JSON, or None if there are none."""
    events = [
        {
            "event_name": event.name,
            "event_timestamp": event.time_unix_nano,
            "attributes": attributes_of(event.attributes),
        }
        for event in span.events
    ]
    links = [
        {
            "trace_id": link.trace_id.hex(),
            "span_id": link.span_id.hex(),
            "attributes": attributes_of(link.attributes),
        }
        for link in span.links
    ]
    return (json_of(events) if events else None), (json_of(links) if links else None)


def attribute_columns(attributes: Attributes) -> Row:
    """Return the columns from `attributes` to `url_query`; old HTTP attribute names work too."""
    tags: Any = attributes.pop("logfire.tags", None)
    get = attributes.get
    status = get("http.response.status_code", get("http.status_code"))
    return (
        json_of(attributes),
        [str(tag) for tag in tags] if isinstance(tags, list) else None,
        number_of(status, SMALLINT),
        text_of(get("http.request.method", get("http.method"))),
        text_of(get("http.route")),
        text_of(get("url.full", get("http.url"))),
        text_of(get("url.path")),
        text_of(get("url.query")),
    )
