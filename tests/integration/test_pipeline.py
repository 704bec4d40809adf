"""The app against real servers: what arrives at Logfire, and what at Prometheus."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from otelcol_runner.polling import poll_until

from stack.clients.logfire import Logfire
from tests.integration.conftest import Running

pytestmark = pytest.mark.timeout(600)  # the first run builds images
Row = dict[str, Any]


def rows(pipeline: Running, sql: str) -> list[Row]:
    with Logfire(pipeline.logfire_url, pipeline.read_token) as logfire:
        return logfire.rows(sql, since=timedelta(hours=1), limit=1000)


def series(pipeline: Running, promql: str) -> list[Row]:
    answer = httpx.get(f"{pipeline.prometheus_url}/api/v1/query", params={"query": promql})
    found: list[Row] = answer.raise_for_status().json()["data"]["result"]
    return found


def run_task(pipeline: Running, task: Mapping[str, str]) -> tuple[Row, str]:
    """Run a task; returns its status and trace id."""
    trace_id = secrets.token_hex(16)
    parent = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    with httpx.Client(base_url=pipeline.api_url, timeout=10) as api:
        added = api.post("/agents/summarizer/tasks", json=task, headers=parent)
        assert added.status_code == 202, added.text
        address = f"/tasks/{added.json()['task_id']}"

        def ended() -> Row | None:
            found: Row = api.get(address).json()
            return None if found["status"] == "queued" else found

        return poll_until(ended, "the task's end"), trace_id


@pytest.fixture(scope="module")
def success(pipeline: Running) -> str:
    """The trace id of a task that read a document back from the API."""
    document = {"text": "Every span has a parent. Every story has a start."}
    httpx.put(f"{pipeline.api_url}/documents/story", json=document).raise_for_status()
    task, trace_id = run_task(pipeline, {"task_type": "summarize_document", "text": "story"})
    assert task["status"] == "success"
    return trace_id


@pytest.fixture(scope="module")
def failure(pipeline: Running) -> str:
    """The trace id of a task whose document is missing."""
    task, trace_id = run_task(pipeline, {"task_type": "summarize_document", "text": "missing"})
    assert task["status"] == "error"
    return trace_id


def test_one_trace_has_the_spans_of_both_services(pipeline: Running, success: str) -> None:
    sql = f"SELECT service_name, otel_scope_name FROM records WHERE trace_id = '{success}'"

    def found() -> bool:
        spans = rows(pipeline, sql)
        services = {span["service_name"] for span in spans}
        libraries = {str(span["otel_scope_name"]).rpartition(".")[2] for span in spans}
        return services == {"agentical-api", "agentical-worker"} and libraries >= {
            "asyncpg",
            "fastapi",
            "httpx",
            "redis",
        }

    poll_until(found, "both services and four instrumentations", seen=partial(rows, pipeline, sql))


def test_a_failed_task_is_an_error_span_and_a_log_of_the_same_trace(
    pipeline: Running, failure: str
) -> None:
    sql = (
        "SELECT kind, message, attributes->>'error' AS error, otel_status_code AS code "
        f"FROM records WHERE trace_id = '{failure}' AND attributes->>'status' = 'error'"
    )

    found = poll_until(
        lambda: rows(pipeline, sql) if len(rows(pipeline, sql)) > 1 else None, "span and log"
    )

    assert {(row["kind"], row["message"]) for row in found} == {
        ("span", "agent_execution"),
        ("log", "Agent task failed"),
    }
    assert {row["code"] for row in found if row["kind"] == "span"} == {"ERROR"}
    assert all("missing" in row["error"] for row in found)


@pytest.mark.parametrize(
    "promql",
    [
        'agentical_requests_total{endpoint="/agents/{agent_id}/tasks",method="POST",status="202"}',
        'agentical_request_duration_seconds_bucket{endpoint="/documents/{document_id}"}',
        'agentical_agent_tasks_total{task_type="summarize_document",status="success"}',
        'agentical_agent_tasks_total{task_type="summarize_document",status="error"}',
        'agentical_redis_operations_total{status="success"}',
        "agentical_database_query_duration_seconds_count",
        'agentical_database_connections{status="idle"}',
        "agentical_queue_depth",
        "agentical_active_connections",
        'postgresql_backends{database="agentical",job="postgresql"}',
        'redis_memory_used_bytes{job="redis"}',
        'system_cpu_time_seconds_total{job="host"}',
    ],
)
def test_the_series_arrives_in_prometheus(
    pipeline: Running, success: str, failure: str, promql: str
) -> None:
    found = poll_until(lambda: series(pipeline, promql), promql, timeout=30)

    assert all({"job", "instance"} <= each["metric"].keys() for each in found)


def test_the_default_route_sends_no_metrics_to_logfire(pipeline: Running, success: str) -> None:
    poll_until(lambda: series(pipeline, "agentical_requests_total"), "metrics", timeout=30)

    assert rows(pipeline, "SELECT count(*) AS n FROM metrics") == [{"n": 0}]
