"""One task followed through the pipeline: trace, logs, exemplar, database row."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from otelcol_runner.polling import poll_until

from stack.pipeline.launch import Pipeline

Row = dict[str, Any]
DOCUMENT = "Telemetry is cheap to make and dear to keep. Keep what answers a question."
ENDS = {"POST /agents/{agent_id}/tasks", "process tasks", "GET /documents/{document_id}"}
INSTRUMENTATIONS = {"fastapi", "asyncpg", "redis", "httpx"}


@pytest.fixture(scope="module")
def task(pipeline: Pipeline) -> Row:
    """A finished task that read a document from the API, under a given trace id."""
    trace_id = secrets.token_hex(16)
    parent = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    with httpx.Client(base_url=pipeline.api_url) as api:
        api.put("/documents/story", json={"text": DOCUMENT}).raise_for_status()
        task = {"task_type": "summarize_document", "text": "story"}
        accepted = api.post("/agents/researcher/tasks", json=task, headers=parent)
        assert accepted.status_code == 202
        address = f"/tasks/{accepted.json()['task_id']}"
        done = poll_until(lambda: completed(api.get(address).json()), "the task's completion")
    return {**done, "trace_id": trace_id}


def completed(task: Row) -> Row | None:
    return task if task["status"] == "success" else None


def rows(pipeline: Pipeline, sql: str) -> list[Row]:
    assert pipeline.stand_in is not None
    return pipeline.stand_in.query(sql)


def whole_trace(pipeline: Pipeline, task: Row) -> list[Row]:
    """The spans of the task's trace, complete up to its leaves, since two processes export it."""
    sql = (
        "SELECT span_name, service_name, span_id, parent_span_id, otel_scope_name FROM records "
        f"WHERE trace_id = '{task['trace_id']}' AND kind = 'span'"
    )

    def spans() -> list[Row]:
        found = rows(pipeline, sql)
        names = {span["span_name"] for span in found}
        return found if names >= ENDS else []

    return poll_until(spans, "all ends of the trace at Logfire")


def test_the_trace_is_one_tree_over_both_services_and_four_instrumentations(
    pipeline: Pipeline, task: Row
) -> None:
    spans = whole_trace(pipeline, task)
    assert {span["service_name"] for span in spans} == {"agentical-api", "agentical-worker"}
    libraries = {span["otel_scope_name"].rpartition(".")[2] for span in spans}
    assert libraries >= INSTRUMENTATIONS
    ids = {span["span_id"] for span in spans}
    roots = [span["span_name"] for span in spans if span["parent_span_id"] not in ids]
    assert roots == ["POST /agents/{agent_id}/tasks"]


def test_its_logs_are_found_by_the_trace_id(pipeline: Pipeline, task: Row) -> None:
    sql = (
        "SELECT attributes->>'agent_id' AS agent, attributes->>'status' AS status FROM records "
        f"WHERE trace_id = '{task['trace_id']}' AND kind = 'log' "
        "AND message = 'Agent task completed'"
    )
    found = poll_until(lambda: rows(pipeline, sql), "the log of the completion at Logfire")
    assert found == [{"agent": "researcher", "status": "success"}]


def test_its_request_is_an_exemplar_in_prometheus(pipeline: Pipeline, task: Row) -> None:
    trace_id = task["trace_id"]
    query = {
        "query": "agentical_sampled_request_duration_seconds_bucket",
        "start": str((datetime.now(UTC) - timedelta(hours=1)).timestamp()),
        "end": str((datetime.now(UTC) + timedelta(hours=1)).timestamp()),
    }

    def traces() -> set[str]:
        answer = httpx.get(f"{pipeline.prometheus_url}/api/v1/query_exemplars", params=query)
        series = answer.raise_for_status().json()["data"]
        return {each["labels"]["trace_id"] for one in series for each in one["exemplars"]}

    poll_until(lambda: trace_id in traces(), f"an exemplar of trace {trace_id}", seen=traces)


def test_its_execution_is_counted_in_prometheus(pipeline: Pipeline, task: Row) -> None:
    query = f'agentical_agent_tasks_total{{task_type="{task["task_type"]}",status="success"}} == 1'

    def counted() -> list[Row]:
        url = f"{pipeline.prometheus_url}/api/v1/query"
        series: list[Row] = httpx.get(url, params={"query": query}).json()["data"]["result"]
        return series

    (series,) = poll_until(counted, "the task's count in Prometheus")
    assert series["metric"]["job"] == "agentical-worker"


def test_its_result_is_a_row_in_postgres(pipeline: Pipeline, task: Row) -> None:
    async def row() -> Any:
        connection = await asyncpg.connect(pipeline.postgres.dsn)
        try:
            sql = "SELECT agent_id, status FROM tasks WHERE task_id::text = $1"
            return await connection.fetchrow(sql, task["task_id"])
        finally:
            await connection.close()

    assert dict(asyncio.run(row())) == {"agent_id": "researcher", "status": "success"}
