"""The whole pipeline after a load and an outage of Postgres, for the queries."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from otelcol_runner.polling import poll_until

from stack.clients.prometheus import PromQL
from stack.load.generator import Load
from stack.pipeline.launch import Pipeline
from stack.services.stand_in import StandIn

Row = dict[str, Any]
COUNTED = {
    "requests": "sum(agentical_requests_total)",
    "queries": "sum(agentical_database_query_duration_seconds_count)",
}
REQUESTS = 150
FAILING, SEED = 3, 34  # of the first 400 tasks about 5 % fail: too few for an alert
QUICK = {"SPAN_METRICS_INTERVAL": "1s", "INFRASTRUCTURE_INTERVAL": "1s"}
STORED = """
SELECT
  COUNT(*) FILTER (WHERE span_name = 'agent_execution') AS executed,
  COUNT(*) FILTER (WHERE span_name = 'send tasks') AS queued,
  COUNT(*) FILTER (WHERE message LIKE 'Agent task%') AS logged,
  COUNT(*) FILTER (WHERE http_method IS NOT NULL AND url_path IS NOT NULL) AS requests,
  COUNT(*) FILTER (WHERE attributes->>'db.system.name' = 'postgresql') AS queries
FROM records
"""


@dataclass(frozen=True)
class Running:
    """The pipeline, and the tasks in Postgres before its outage."""

    pipeline: Pipeline
    logfire: StandIn
    tasks: list[Row]

    def ask(self, query: str) -> dict[tuple[str, ...], float]:
        """Return the values of a PromQL query by labels."""
        with PromQL(self.pipeline.prometheus_url) as prometheus:
            series = prometheus.series(query)
        return {tuple(found.values()): value for found, value in series}


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    with Pipeline(variables=QUICK) as pipeline:
        assert pipeline.stand_in is not None
        with Load(pipeline.api_url, rate=25, seed=SEED, failing=FAILING) as load:
            poll_until(lambda: load.sent.answered >= REQUESTS, "the load's answers", timeout=40)
        tasks = poll_until(lambda: finished(pipeline), "the end of every task", timeout=30)
        lose_postgres(pipeline)
        wait_for_all(pipeline, sum(row["tasks"] for row in tasks))
        yield Running(pipeline, pipeline.stand_in, tasks)


def finished(pipeline: Pipeline) -> list[Row]:
    """Return how many tasks there are by agent, type and status, once none is queued."""
    sql = "SELECT agent_id, task_type, status, COUNT(*) AS tasks FROM tasks GROUP BY 1, 2, 3"

    found = asyncio.run(select(pipeline, sql))
    return [] if any(row["status"] == "queued" for row in found) else found


async def select(pipeline: Pipeline, sql: str) -> list[Row]:
    """Return the rows of a query to Postgres."""
    connection = await asyncpg.connect(pipeline.postgres.dsn)
    try:
        return [dict(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def wait_for_all(pipeline: Pipeline, tasks: int) -> None:
    """Wait until every task is stored, and as many requests and queries as Prometheus counted."""
    stand_in = pipeline.stand_in
    assert stand_in is not None

    def stored() -> bool:
        (row,) = stand_in.query(STORED)
        done = {row["executed"], row["queued"], row["logged"]} == {tasks}
        with PromQL(pipeline.prometheus_url) as prometheus:
            return done and all(row[n] == prometheus.number(q) for n, q in COUNTED.items())

    poll_until(stored, f"{tasks} tasks, and each request and query at both backends", timeout=30)


def lose_postgres(pipeline: Pipeline) -> None:
    """Stop Postgres, send a request, and start it again."""
    stand_in = pipeline.stand_in
    assert stand_in is not None
    pipeline.postgres.close()
    answer = httpx.get(f"{pipeline.api_url}/agents/researcher/stats", timeout=10)
    assert answer.status_code == 503
    logged = "SELECT 1 FROM records WHERE message LIKE 'Server lost%'"
    poll_until(lambda: stand_in.query(logged), "the log of the lost server")
    # It may arrive before the span; until then both backends may lack the same request.
    asked = "SELECT 1 FROM records WHERE http_response_status_code = 503"
    poll_until(lambda: stand_in.query(asked), "the span of the request that was refused")
    pipeline.postgres.start()
