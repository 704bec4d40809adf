"""Saved queries without data in tests/sampling: sampling does not bias them."""

from datetime import timedelta
from string import Template
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.telemetry import span

from alerts import boards
from stack.standins.logfire.query.engine import Query, run
from tests.alerts.logfire.rows import Rows, store_of
from tests.support.shapes import query


def asked(name: str, rows: Rows, *, sampled: bool) -> dict[str, Any]:
    """Return a saved query's one row on these rows, without ids and times."""
    store, now = store_of(rows, sampled=sampled)
    sql = Template(boards.statement(name)).substitute(resolution="'1000 days'")
    (row,) = run(Query(sql=sql, min_timestamp=now - timedelta(hours=1)), store).to_pylist()
    return {name: value for name, value in row.items() if isinstance(value, float)}


def test_statement_times_are_unbiased_by_sampling() -> None:
    rows = {
        "api": [query(duration=0.5) for _ in range(40)] + [query(duration=2) for _ in range(10)]
    }
    whole = asked("slow_database_statements", rows, sampled=False)
    assert whole == pytest.approx(
        {"calls": 50, "mean_seconds": 0.8, "longest_seconds": 2, "total_seconds": 40}
    )
    assert asked("slow_database_statements", rows, sampled=True) == pytest.approx(whole)


def test_queue_depth_is_unbiased_by_sampling() -> None:
    rows = {"api": [sent(3) for _ in range(20)] + [sent(9, "ERROR") for _ in range(10)]}
    whole = asked("queue_depth_at_enqueue", rows, sampled=False)
    assert whole == pytest.approx({"mean_depth": 5, "highest_depth": 9})
    assert asked("queue_depth_at_enqueue", rows, sampled=True) == pytest.approx(whole)


def sent(depth: int, status: str = "UNSET") -> Span:
    """Return the span of an enqueueing that found this queue depth."""
    return span("send tasks", {"messaging.queue.depth": depth}, status=status)
