"""What a store has, asked of its query API."""

import time
from typing import Any

import httpx
from otelcol_runner.polling import poll_until

from stack.clients.prometheus import PromQL
from tests.long_term.stores import Store

Row = dict[str, Any]


def get(store: Store, path: str, **params: str) -> Any:
    """Return the data of an answer; raises `AssertionError` when there is none."""
    answer = httpx.get(f"{store.url}/api/v1/{path}", params=params, timeout=20)
    assert answer.is_success, answer.text
    return answer.json()["data"]


def values(store: Store, expr: str) -> list[float]:
    """Return the values of a query now."""
    with PromQL(store.url) as promql:
        return [value for _, value in promql.series(expr)]


def visible(store: Store, expr: str) -> list[float]:
    """Return the values of a query now, with what was written a moment ago."""
    store.flush()
    return values(store, expr)


def wait_for(store: Store, expr: str, *expected: float) -> None:
    """Wait until a query has these values; raises `NotSeenError`."""
    wanted = sorted(expected)
    poll_until(
        lambda: sorted(visible(store, expr)) == wanted,
        f"{expr} = {wanted}",
        seen=lambda: values(store, expr),
    )


def samples(store: Store, selector: str) -> list[float]:
    """Return the values of all samples of the last day, by their time."""
    store.flush()
    series = get(store, "query", query=f"{selector}[1d]", time=str(time.time()))["result"]
    points = sorted((float(at), float(value)) for one in series for at, value in one["values"])
    return [value for _, value in points]


def exemplars(store: Store, selector: str) -> list[Row]:
    """Return the exemplars of the last hour."""
    now = time.time()
    found = get(
        store, "query_exemplars", query=selector, start=f"{now - 3600:.0f}", end=f"{now + 60:.0f}"
    )
    return [exemplar for series in found for exemplar in series["exemplars"]]
