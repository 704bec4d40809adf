"""Telemetry of services for the alerts of Logfire, good and bad."""

import time

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.sender import Telemetry
from otelcol_runner.telemetry import log, span

from tests.alerts.logfire.rows import TICK, TIMES
from tests.support.shapes import agent, query, request


def served(good: int, failed: int = 0, *, code: int = 500) -> list[Span]:
    """Return requests of which some failed."""
    failures = [request(code=code, status="ERROR") for _ in range(failed)]
    return [request() for _ in range(good)] + failures


def took(fast: int, slow: int, *, above: float = 2.05, below: float = 1.95) -> list[Span]:
    """Return fast and slow requests."""
    return [request(duration=below) for _ in range(fast)] + [
        request(duration=above) for _ in range(slow)
    ]


def called(count: int) -> list[Span]:
    """Return slow and failed calls of another service: the CLIENT spans of requests."""
    attributes = {
        "http.request.method": "GET",
        "url.full": "http://127.0.0.1/tasks",
        "http.response.status_code": 500,
    }
    return [
        span("GET", attributes, kind="CLIENT", status="ERROR", duration=5.0) for _ in range(count)
    ]


def executed(good: int, failed: int) -> list[Span]:
    """Return tasks' executions of which some failed."""
    return [agent("word_statistics", "success") for _ in range(good)] + [
        agent("word_statistics", "error") for _ in range(failed)
    ]


def asked(fast: int, slow: int, *, seconds: float) -> list[Span]:
    """Return queries: fast ones that take half a second, and slow ones."""
    return [query(duration=0.5) for _ in range(fast)] + [
        query(duration=seconds) for _ in range(slow)
    ]


def lookalikes(count: int) -> list[LogRecord]:
    """Return logs with the attributes that mark spans of queries and task executions."""
    attributes = {"db.system.name": "postgresql", "status": "success"}
    return [log("agent_execution", attributes) for _ in range(count)]


def lost(server: str, slices: int, each: int = 1, message: str = "Server lost") -> list[Telemetry]:
    """Return logs of a lost server in the newest slices, evenly spread in each."""
    return [
        at(log(message, {"server": server, "reason": "gone"}, severity="WARN"), slot, part / each)
        for slot in range(slices)
        for part in range(each)
    ]


def lost_between(server: str, pairs: int) -> list[Telemetry]:
    """Return pairs of logs 2 s apart: one at the end of a slice, one at the start of the next."""
    return [
        at(log("Server lost", {"server": server, "reason": "gone"}, severity="WARN"), slot, part)
        for pair in range(pairs)
        for slot, part in ((2 * pair + 1, 0.8), (2 * pair, 0.0))
    ]


def broken(slices: int, raised: str = "ConnectionDoesNotExistError") -> list[Telemetry]:
    """Return queries that ended with an exception, one in each of the newest slices."""
    return [at(query(raised=f"asyncpg.exceptions.{raised}"), slot, 0.0) for slot in range(slices)]


def at(item: Telemetry, slot: int, part: float) -> Telemetry:
    """Place an item `slot` ticks before this one: part 0.0 at its start, 0.5 in its middle."""
    begin = (int(time.time()) // TICK - 1 - slot) * TICK + (part + 0.1) * TICK
    shift = int(begin * 1e9) - getattr(item, TIMES[0] if isinstance(item, Span) else TIMES[2])
    for name in TIMES:
        if hasattr(item, name):
            setattr(item, name, getattr(item, name) + shift)
    return item
