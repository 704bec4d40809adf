"""Flat views of OTLP: one object per span, log record or metric point, resource included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = "str | bool | int | float | bytes | list[Value] | dict[str, Value] | None"
Attributes = dict[str, Value]


@dataclass(frozen=True)
class Event:
    """A span's event."""

    name: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """A span's link to another span; ids as hex."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """A span; `kind` and `status` without prefix ("SERVER", "ERROR"), ids as hex, times in ns."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_span_id: str
    start: int
    end: int
    attributes: Attributes
    events: tuple[Event, ...]
    links: tuple[Link, ...]
    status: str
    status_message: str
    resource: Attributes
    scope: str
    scope_attributes: Attributes
    trace_state: str

    def __str__(self) -> str:
        return f"span {self.name!r} {self.kind} {self.status} {self.attributes} of {self.resource}"


@dataclass(frozen=True)
class Log:
    """A log record; `time` in ns."""

    body: Value
    severity: str
    severity_number: int
    attributes: Attributes
    trace_id: str
    span_id: str
    event_name: str
    time: int
    resource: Attributes
    scope: str

    def __str__(self) -> str:
        return f"log {self.body!r} {self.severity} {self.attributes} of {self.resource}"


@dataclass(frozen=True)
class Point:
    """A metric's data point; the value of a histogram is its count, with `sum` beside it."""

    name: str
    type: str
    unit: str
    value: float
    attributes: Attributes
    resource: Attributes
    scope: str
    time: int
    sum: float | None = None
    monotonic: bool = False
    temporality: str = ""
    exemplars: tuple[str, ...] = ()  # their trace ids, as hex

    def __str__(self) -> str:
        return f"{self.type} {self.name} {self.attributes} = {self.value:g} of {self.resource}"


def having(found: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
    """Return whether all wanted attributes are present with their values."""
    return all(name in found and found[name] == value for name, value in wanted.items())
