"""Both backends and the API of the cluster, through forwarded ports."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx

from stack.clients.logfire import Logfire, Row
from stack.clients.prometheus import PromQL
from stack.errors import UserError
from stack.standins.logfire import READ_TOKEN
from tests.cluster.kubectl import NAMESPACE, Kubectl

RECENT = timedelta(minutes=30)
TASK = {"task_type": "summarize_document", "text": "d1"}


@contextmanager
def logfire(kubectl: Kubectl) -> Iterator[Logfire]:
    """Yield the query API of the stand-in."""
    with (
        kubectl.forward(NAMESPACE, "service/logfire", 4320) as url,
        Logfire(url, READ_TOKEN) as client,
    ):
        yield client


@contextmanager
def prometheus(kubectl: Kubectl) -> Iterator[PromQL]:
    """Yield the query API of the operator's Prometheus."""
    with (
        kubectl.forward("monitoring", "service/prometheus-operated", 9090) as url,
        PromQL(url) as client,
    ):
        yield client


@contextmanager
def api(kubectl: Kubectl) -> Iterator[httpx.Client]:
    """Yield a client of one of the service's API pods."""
    with (
        kubectl.forward(NAMESPACE, "service/api", 8000) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        client.put("/documents/d1", json={"text": "A story."}).raise_for_status()
        yield client


def send_task(client: httpx.Client) -> str:
    """Queue a task, for which the worker calls the API again; return its trace's id."""
    trace_id = secrets.token_hex(16)
    parent = {"traceparent": f"00-{trace_id}-{caller(trace_id)}-01"}
    client.post("/agents/researcher/tasks", json=TASK, headers=parent).raise_for_status()
    return trace_id


def caller(trace_id: str) -> str:
    """Return the id of the span that sends a task, which is nowhere stored."""
    return trace_id[:16]


def spans(client: Logfire) -> dict[str, int]:
    """Return how many spans of each trace have arrived."""
    counted = "SELECT trace_id, COUNT(DISTINCT span_id) AS spans FROM records WHERE kind = 'span'"
    found = rows(client, f"{counted} GROUP BY trace_id")
    return {row["trace_id"]: row["spans"] for row in found}


def rows(client: Logfire, sql: str) -> list[Row]:
    """Return the rows of a query; none while nothing has arrived, which has no table."""
    try:
        return client.rows(sql, since=RECENT, limit=10_000)
    except UserError:
        return []
