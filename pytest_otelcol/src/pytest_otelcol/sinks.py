"""A test backend that accepts OTLP over HTTP and keeps what it received."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otelcol_runner.views import Log, Point, Span, having

from pytest_otelcol.decoding import logs_of, points_of, spans_of
from pytest_otelcol.server import RecordingServer, decompressed

Item = TypeVar("Item", Span, Log, Point)
SHOWN = 30  # items of a signal that an error message lists


class OtlpSink(RecordingServer):
    """Accepts OTLP/HTTP protobuf at `/v1/traces`, `/v1/logs` and `/v1/metrics`.

    ```python
    with OtlpSink("logfire") as sink:
        ...  # point an exporter at sink.url
        span = sink.wait_for_span("GET /users", {"http.route": "/users"})
    ```
    `spans`, `logs` and `points` are flat and include their resource; `requests` has the headers.
    """

    def __init__(self, name: str = "otlp sink", port: int | None = None) -> None:
        super().__init__(name, port)
        self._spans: list[Span] = []
        self._logs: list[Log] = []
        self._points: list[Point] = []

    @property
    def spans(self) -> list[Span]:
        """Every received span, in order of arrival."""
        with self._lock:
            return list(self._spans)

    @property
    def logs(self) -> list[Log]:
        """Every received log record, in order of arrival."""
        with self._lock:
            return list(self._logs)

    @property
    def points(self) -> list[Point]:
        """Every received metric data point, in order of arrival."""
        with self._lock:
            return list(self._points)

    @property
    def signals(self) -> set[str]:
        """Which of "traces", "logs" and "metrics" were received."""
        with self._lock:
            found = {"traces": self._spans, "logs": self._logs, "metrics": self._points}
            return {signal for signal, items in found.items() if items}

    def wait_for_span(
        self, name: str, attributes: Mapping[str, object] | None = None, *, timeout: float = 10.0
    ) -> Span:
        """Wait for the first span with this name and at least these attributes, and return it.

        Raises:
            NotSeenError: it did not arrive within `timeout` seconds; lists what did.
        """
        return self._first(
            lambda: (item for item in self.spans if item.name == name),
            f"span {name!r}",
            attributes,
            timeout,
        )

    def wait_for_log(
        self, body: str, attributes: Mapping[str, object] | None = None, *, timeout: float = 10.0
    ) -> Log:
        """Wait for the first log record with this body and at least these attributes."""
        return self._first(
            lambda: (item for item in self.logs if item.body == body),
            f"log {body!r}",
            attributes,
            timeout,
        )

    def wait_for_point(
        self, name: str, attributes: Mapping[str, object] | None = None, *, timeout: float = 10.0
    ) -> Point:
        """Wait for the first metric point with this name and at least these attributes."""
        return self._first(
            lambda: (item for item in self.points if item.name == name),
            f"point {name!r}",
            attributes,
            timeout,
        )

    def describe(self) -> str:
        """Return what was received as text, signal by signal."""
        parts = [_listed("span", self.spans), _listed("log", self.logs)]
        parts.append(_listed("metric point", self.points))
        refused = sum(request.status >= 300 for request in self.requests)
        end = f"{len(self.requests)} requests, {refused} of them refused"
        return "\n".join([f"{self.name} received:", *parts, f"  {end}"])

    def _first(
        self,
        candidates: Callable[[], Iterable[Item]],
        what: str,
        attributes: Mapping[str, object] | None,
        timeout: float,
    ) -> Item:
        wanted = dict(attributes or {})

        def found() -> Item | None:
            return next((item for item in candidates() if having(item.attributes, wanted)), None)

        return self.wait_for(
            lambda _: found(), f"{what} with {wanted}" if wanted else what, timeout=timeout
        )

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if not headers.get("content-type", "").startswith("application/x-protobuf"):
            return 415, b"expected application/x-protobuf"
        try:
            decompressed_body = self._keep_raw(
                decompressed(body, headers.get("content-encoding", ""))
            )
            return self._keep(path, decompressed_body)
        except (DecodeError, OSError, ValueError) as error:
            return 400, str(error).encode()

    def _keep(self, path: str, body: bytes) -> tuple[int, bytes]:
        match path:
            case "/v1/traces":
                self._add(self._spans, spans_of(ExportTraceServiceRequest.FromString(body)))
            case "/v1/logs":
                self._add(self._logs, logs_of(ExportLogsServiceRequest.FromString(body)))
            case "/v1/metrics":
                self._add(self._points, points_of(ExportMetricsServiceRequest.FromString(body)))
            case _:
                return 404, b"no such signal"
        return 200, b""

    def _add(self, to: list[Item], items: Iterable[Item]) -> None:
        decoded = list(items)
        with self._lock:
            to.extend(decoded)

    def _forget(self) -> None:
        for items in (self._spans, self._logs, self._points):
            items.clear()


def _listed(noun: str, items: Sequence[object]) -> str:
    if not items:
        return f"  no {noun}"
    shown = [f"    {item}" for item in items[:SHOWN]]
    if len(items) > SHOWN:
        shown.append(f"    ... and {len(items) - SHOWN} more")
    return "\n".join([f"  {len(items)} {noun}{'s' if len(items) > 1 else ''}:", *shown])
