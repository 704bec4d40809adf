"""Which collectors and sinks a test used: a failing test's report shows what they received."""

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


def used(collector: _Collector) -> None:
    """Note that the running test works with this collector."""
    if collector not in _used:
        _used.append(collector)


def opened(sink: _Sink) -> None:
    """Note that a sink listens."""
    _sinks.add(sink)


def forget() -> None:
    """Begin a new test."""
    _used.clear()


def report() -> list[tuple[str, str]]:
    """Return a title and a text for each exporter of the collectors used, and their warnings."""
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
