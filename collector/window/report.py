"""The window's metrics, as an OTLP request in JSON."""

import json
import time
from collections.abc import Mapping

STARTED = time.time_ns()


def request(
    instance: str, *, size: int, gap: float, damaged: int, replayed: Mapping[bool, int]
) -> bytes:
    """Return the request.

    Args:
        instance: the `service.instance.id`.
        size: bytes of all files.
        gap: seconds of the decision wait that the window did not cover lately.
        damaged: files set aside.
        replayed: spans, by whether they had been handed on.
    """
    at = {"timeUnixNano": str(time.time_ns()), "startTimeUnixNano": str(STARTED)}
    spans = [
        {**at, "asInt": str(count), "attributes": attributes(handed_on=str(known).lower())}
        for known, count in replayed.items()
    ]
    metrics = [
        gauge("sampling.window.size", "By", {**at, "asInt": str(size)}),
        gauge("sampling.window.gap", "s", {**at, "asDouble": gap}),
        counter("sampling.window.replayed", "{span}", *spans),
        counter("sampling.window.damaged", "{file}", {**at, "asInt": str(damaged)}),
    ]
    names = {"service.name": "sampling-window", "service.instance.id": instance}
    scopes = [{"scope": {"name": "window.py"}, "metrics": metrics}]
    resource = {"attributes": attributes(**names)}
    return json.dumps(
        {"resourceMetrics": [{"resource": resource, "scopeMetrics": scopes}]}
    ).encode()


def attributes(**values: str) -> list[dict[str, object]]:
    """Return attributes as OTLP writes them in JSON."""
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def gauge(name: str, unit: str, point: Mapping[str, object]) -> dict[str, object]:
    """Return a gauge as OTLP writes it in JSON."""
    return {"name": name, "unit": unit, "gauge": {"dataPoints": [point]}}


def counter(name: str, unit: str, *points: Mapping[str, object]) -> dict[str, object]:
    """Return a cumulative counter as OTLP writes it in JSON."""
    total = {"isMonotonic": True, "aggregationTemporality": 2, "dataPoints": points}
    return {"name": name, "unit": unit, "sum": total}
