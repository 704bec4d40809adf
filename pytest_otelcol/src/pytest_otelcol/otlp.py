"""What a test backend for OTLP keeps, whichever way it came, and how a test asks for it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otelcol_runner.views import Log, Point, Span

from pytest_otelcol.decoding import logs_of, points_of, spans_of
from pytest_otelcol.matching import expected, fields_of, given
from pytest_otelcol.recorder import Recorder

Item = TypeVar("Item", Span, Log, Point)
Attributes = Mapping[str, object]
SHOWN = 30  # items of a signal that an error message lists


class OtlpRecorder(Recorder):
    """Keeps spans, logs and points; they are flat and include their resource.

    What `expect_span`, `expect_log` and `expect_point` are given is the value itself or, for a
    text, a compiled pattern that has to match the whole of it. Of `attributes` and `resource` the
    item must have at least these. `fields` are further ones of `otelcol_runner.views`:
    `kind="SERVER"`, `severity="WARN"`. All wait up to `timeout` seconds for the first that fits and
    return it; otherwise they raise `NotSeenError`, which says in what the nearest items differ.
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

    def expect_span(
        self,
        name: str | re.Pattern[str] | None = None,
        attributes: Attributes | None = None,
        *,
        resource: Attributes | None = None,
        timeout: float = 10.0,
        **fields: object,
    ) -> Span:
        """Wait for the first span that has all of this, and return it."""
        wanted = given(name=name, attributes=attributes, resource=resource) | fields
        return self._expect(Span, lambda: self.spans, wanted, timeout)

    def expect_log(
        self,
        body: object = None,
        attributes: Attributes | None = None,
        *,
        resource: Attributes | None = None,
        timeout: float = 10.0,
        **fields: object,
    ) -> Log:
        """Wait for the first log record that has all of this, and return it."""
        wanted = given(body=body, attributes=attributes, resource=resource) | fields
        return self._expect(Log, lambda: self.logs, wanted, timeout)

    def expect_point(
        self,
        name: str | re.Pattern[str] | None = None,
        attributes: Attributes | None = None,
        *,
        resource: Attributes | None = None,
        timeout: float = 10.0,
        **fields: object,
    ) -> Point:
        """Wait for the first metric data point that has all of this, and return it."""
        wanted = given(name=name, attributes=attributes, resource=resource) | fields
        return self._expect(Point, lambda: self.points, wanted, timeout)

    # The names before `expect_...`.
    wait_for_span, wait_for_log, wait_for_point = expect_span, expect_log, expect_point

    def describe(self) -> str:
        """Return what was received as text, signal by signal."""
        parts = [_listed("span", self.spans), _listed("log", self.logs)]
        parts.append(_listed("metric point", self.points))
        refused = sum(self._is_refusal(request.status) for request in self.requests)
        end = f"{len(self.requests)} requests, {refused} of them refused"
        return "\n".join([f"{self.name} received:", *parts, f"  {end}"])

    def _expect(
        self,
        kind: type[Item],
        items: Callable[[], Sequence[Item]],
        wanted: Mapping[str, object],
        timeout: float,
    ) -> Item:
        fields_of(kind, wanted)
        return expected(
            kind.__name__.lower(),
            items,
            wanted,
            source=self.name,
            describe=self.describe,
            timeout=timeout,
        )

    def _keep(self, signal: str, body: bytes) -> None:
        """Decode an export request and keep its items. Raises protobuf's `DecodeError`."""
        match signal:
            case "traces":
                self._add(self._spans, spans_of(ExportTraceServiceRequest.FromString(body)))
            case "logs":
                self._add(self._logs, logs_of(ExportLogsServiceRequest.FromString(body)))
            case "metrics":
                self._add(self._points, points_of(ExportMetricsServiceRequest.FromString(body)))

    def _add(self, to: list[Item], items: Iterable[Item]) -> None:
        decoded = list(items)
        with self._lock:
            to.extend(decoded)

    def _forget(self) -> None:
        kept: tuple[list[Any], ...] = (self._spans, self._logs, self._points)
        for items in kept:
            items.clear()

    def _is_refusal(self, status: int) -> bool:
        return status >= 300


def _listed(noun: str, items: Sequence[object]) -> str:
    if not items:
        return f"  no {noun}"
    shown = [f"    {item}" for item in items[:SHOWN]]
    if len(items) > SHOWN:
        shown.append(f"    ... and {len(items) - SHOWN} more")
    return "\n".join([f"  {len(items)} {noun}{'s' if len(items) > 1 else ''}:", *shown])
