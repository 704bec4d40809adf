"""Sends built telemetry to an OTLP/HTTP receiver, as a service would."""

import gzip
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence

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

from otelcol_runner.loopback import open_url
from otelcol_runner.telemetry import key_values

Telemetry = Span | LogRecord | Metric
RESOURCE = {"service.name": "test-service", "service.instance.id": "test-1"}


class RefusedError(AssertionError):
    """The receiver refused the request; `status` and `headers` are those of its response."""

    def __init__(self, path: str, status: int, headers: Mapping[str, str], answer: str) -> None:
        super().__init__(f"{path} was answered {status}: {answer}")
        self.status = status
        self.headers = headers


class Sender:
    """Posts telemetry to `endpoint` (such as "http://127.0.0.1:4318")."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint.rstrip("/")

    def send(
        self,
        *items: Telemetry,
        resource: Mapping[str, object] = RESOURCE,
        scope: str = "pytest_otelcol",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send spans, logs and metrics of one resource: one request a signal, gzip.

        Raises:
            RefusedError: an answer was no success.
        """
        for path, body in export_requests(items, resource, scope):
            self.post(path, body, headers)

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send a ready OTLP message; raises `RefusedError`."""
        request = urllib.request.Request(  # noqa: S310 - a loopback URL of the test's own
            self.endpoint + path,
            gzip.compress(body, 1),
            {
                "content-type": "application/x-protobuf",
                "content-encoding": "gzip",
                **(headers or {}),
            },
        )
        try:
            with open_url(request, timeout=10) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            headers = {name.lower(): value for name, value in error.headers.items()}
            raise RefusedError(path, error.code, headers, text) from None


def export_requests(
    items: Sequence[Telemetry], resource: Mapping[str, object], scope: str
) -> list[tuple[str, bytes]]:
    """Return OTLP's path and body of each signal among the items, of one resource and scope."""
    origin = Resource(attributes=key_values(resource))
    inside = InstrumentationScope(name=scope)
    spans = [item for item in items if isinstance(item, Span)]
    logs = [item for item in items if isinstance(item, LogRecord)]
    metrics = [item for item in items if isinstance(item, Metric)]
    found: list[tuple[str, bytes]] = []
    if spans:
        group = ResourceSpans(resource=origin, scope_spans=[ScopeSpans(scope=inside, spans=spans)])
        traces = ExportTraceServiceRequest(resource_spans=[group])
        found.append(("/v1/traces", traces.SerializeToString()))
    if logs:
        records = ResourceLogs(
            resource=origin, scope_logs=[ScopeLogs(scope=inside, log_records=logs)]
        )
        request = ExportLogsServiceRequest(resource_logs=[records])
        found.append(("/v1/logs", request.SerializeToString()))
    if metrics:
        points = ResourceMetrics(
            resource=origin, scope_metrics=[ScopeMetrics(scope=inside, metrics=metrics)]
        )
        export = ExportMetricsServiceRequest(resource_metrics=[points])
        found.append(("/v1/metrics", export.SerializeToString()))
    return found
