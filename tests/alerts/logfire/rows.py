"""Telemetry as rows of the stand-in: all of it or as production samples it, and aged."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from otelcol_runner.sender import Telemetry, export_requests
from otelcol_runner.telemetry import key_values

from stack.standins.logfire.ingest.handler import SIGNALS
from stack.standins.logfire.store import Store

SAMPLED = 10  # of the traces that are not always kept, one in this many is kept
TICK = 10  # seconds; items placed at a time are moved by whole ticks
TIMES = ("start_time_unix_nano", "end_time_unix_nano", "time_unix_nano")
Rows = Mapping[str, Sequence[Telemetry]]  # by service


def store_of(rows: Rows, *, sampled: bool) -> tuple[Store, datetime]:
    """Return the rows in a store, and the time of the evaluation."""
    store = Store(max_rows=100_000)
    for service, items in rows.items():
        kept = list(sample(items)) if sampled else items
        for path, body in export_requests(kept, {"service.name": service}, "cases"):
            store.add(SIGNALS[path].decode(body), SIGNALS[path].counted)
    return store, datetime.now(UTC)


def sample(items: Iterable[Telemetry]) -> Iterator[Telemetry]:
    """Yield what production's sampler keeps, with weights: every tenth item, not a random one."""
    turns: dict[tuple[str, int], int] = {}
    for item in items:
        if not isinstance(item, Span) or always_kept(item):
            yield item
            continue
        kind = item.name, nanoseconds(item)
        turns[kind] = turns.get(kind, -1) + 1
        if turns[kind] % SAMPLED == 0:
            item.attributes.extend(key_values({"sampling.adjusted_count": float(SAMPLED)}))
            yield item


def always_kept(item: Span) -> bool:
    """Tell whether the sampler always keeps a span, as production.yaml configures it."""
    is_slow = item.kind == Span.SPAN_KIND_SERVER and nanoseconds(item) > 2 * 10**9
    return is_slow or item.status.code == Status.STATUS_CODE_ERROR


def nanoseconds(item: Span) -> int:
    """Return a span's duration."""
    return item.end_time_unix_nano - item.start_time_unix_nano


def begun(rows: Rows) -> list[float]:
    """Return how many seconds ago each item began."""
    now = time.time()
    items = [item for items in rows.values() for item in items]
    return [now - getattr(i, TIMES[0] if isinstance(i, Span) else TIMES[2]) / 1e9 for i in items]


def aged(rows: Rows, ticks: int) -> Rows:
    """Move all into the past."""
    for item in (item for items in rows.values() for item in items):
        for name in TIMES:
            if hasattr(item, name):
                setattr(item, name, getattr(item, name) - ticks * TICK * 10**9)
    return rows


def just_inside(rows: Rows, seconds: float) -> Rows:
    """Move all into the past, so that the oldest is slightly less than `seconds` old."""
    return aged(rows, int((seconds - max(begun(rows))) // TICK) - 2)


def just_outside(rows: Rows, seconds: float) -> Rows:
    """Move all into the past, so that the newest is slightly more than `seconds` old."""
    return aged(rows, int((seconds - min(begun(rows))) // TICK) + 2)
