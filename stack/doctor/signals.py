"""A trace, a log and a metric, tagged with one probe id and sent as OTLP over HTTP."""

import os
import time
from dataclasses import dataclass

import httpx
from otelcol_runner.sender import Telemetry, export_requests
from otelcol_runner.telemetry import gauge, log, span

from stack.clients import http
from stack.clients.logfire import clock_offset
from stack.secrets import exporter_headers

NAME = "doctor.probe"  # in Prometheus: doctor_probe
SERVICE = "agentical-doctor"
PATHS = {"trace": "/v1/traces", "log": "/v1/logs", "metric": "/v1/metrics"}
PROTOBUF = {"content-type": "application/x-protobuf"}


@dataclass(frozen=True)
class Sent:
    at: float  # time.monotonic()
    status: int | None = None  # None: no response
    message: str = ""
    clock_offset: float | None = None  # seconds that the receiver's clock is ahead
    speaks_http: bool = True  # False: something else answers, such as a gRPC server

    @property
    def accepted(self) -> bool:
        return self.status == 200


def items(probe_id: str) -> dict[str, Telemetry]:
    """Return the three signals; `probe_id` (32 hex digits) is the trace id and an attribute.

    The span is an error, so that every sampler keeps it, and of kind INTERNAL, so that it is not
    counted as a request. The log is a warning, which is never sampled. The gauge has no unit, so
    that Prometheus adds no suffix to its name.
    """
    tags = {"probe_id": probe_id}
    message = "not a failure: the doctor marks its span as an error so that it is kept"
    return {
        "trace": span(NAME, tags, trace=probe_id, duration=0.001, status="ERROR", message=message),
        "log": log(NAME, tags, severity="WARN", trace=probe_id),
        "metric": gauge(NAME, 1.0, tags, unit=""),
    }


def send(endpoint: str, probe_id: str) -> dict[str, Sent]:
    """Send all three with the headers of `OTEL_EXPORTER_OTLP_HEADERS`; failures are results."""
    headers = exporter_headers(os.environ)
    with http.client(endpoint, headers={**headers, **PROTOBUF}, timeout=10) as client:
        return {
            signal: post(client, endpoint, item, probe_id)
            for signal, item in items(probe_id).items()
        }


def post(client: httpx.Client, endpoint: str, item: Telemetry, probe_id: str) -> Sent:
    resource = {"service.name": SERVICE, "service.instance.id": probe_id}
    ((path, body),) = export_requests([item], resource, "agentical.doctor")
    begun = time.monotonic()
    try:
        answer = client.post(endpoint.rstrip("/") + path, content=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        http = not isinstance(error, httpx.RemoteProtocolError)
        return Sent(begun, message=str(error) or type(error).__name__, speaks_http=http)
    message = "".join(char for char in answer.text if char.isprintable()).strip()[:200]
    return Sent(begun, answer.status_code, message, clock_offset(answer))
