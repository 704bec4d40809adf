"""Tracks the collectors and sinks of a test, to show in its failure report what they received."""

import weakref
from typing import Protocol


class _Collector(Protocol):
    env: dict[str, str]

    def warnings(self) -> list[str]: ...


class _Sink(Protocol):
    name: str
    port: int

    def describe(self) -> str: ...


_used: list[_Collector] = []
_sinks: weakref.WeakSet[_Sink] = weakref.WeakSet()


def use(collector: _Collector) -> None:
    """Record that the running test uses this collector."""
    if collector not in _used:
        _used.append(collector)


def register(sink: _Sink) -> None:
    """Register a sink that listens; it is held weakly."""
    _sinks.add(sink)


def reset() -> None:
    """Forget the collectors of the previous test."""
    _used.clear()


def report() -> list[tuple[str, str]]:
    """Return title and text for each exporter of the used collectors, and for their warnings."""
    return [part for collector in _used for part in _report_of(collector)]


def _report_of(collector: _Collector) -> list[tuple[str, str]]:
    parts = [
        (f"exporter {variable} -> {sink.name}", sink.describe())
        for variable, value in collector.env.items()
        for sink in list(_sinks)
        if f":{sink.port}" in value
    ]
    if warnings := collector.warnings():
        parts.append(("collector's warnings", "\n".join(warnings[-20:])))
    return parts
