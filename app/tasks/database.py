"""The Postgres side: agents, their tasks and results, and documents."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from app.errors import SERVER_LOST_ERRORS
from app.settings import Settings
from app.tasks.handlers import Outcome, Task

# To add an agent, insert a row.
SCHEMA = """
SELECT pg_advisory_xact_lock(hashtext('agentical schema'));
CREATE TABLE IF NOT EXISTS agents (
  agent_id text PRIMARY KEY,
  description text NOT NULL
);
INSERT INTO agents VALUES
  ('researcher', 'finds what a text is about'),
  ('summarizer', 'shortens documents'),
  ('archivist', 'keeps account of texts')
ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS tasks (
  task_id uuid PRIMARY KEY,
  agent_id text NOT NULL REFERENCES agents,
  task_type text NOT NULL,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'success', 'error')),
  result jsonb,
  error text,
  duration_ms double precision,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX IF NOT EXISTS tasks_of_agent ON tasks (agent_id, status);
CREATE TABLE IF NOT EXISTS documents (
  document_id text PRIMARY KEY,
  text text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
"""
ADD_TASK = """
INSERT INTO tasks (task_id, agent_id, task_type)
SELECT $1, agent_id, $3 FROM agents WHERE agent_id = $2 RETURNING true
"""
# A task that ran twice keeps its first result; a task without a row (lost data) gets one.
FINISH_TASK = """
INSERT INTO tasks (task_id, agent_id, task_type, status, result, error, duration_ms, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now())
ON CONFLICT (task_id) DO UPDATE SET status = EXCLUDED.status, result = EXCLUDED.result,
  error = EXCLUDED.error, duration_ms = EXCLUDED.duration_ms, finished_at = EXCLUDED.finished_at
WHERE tasks.status = 'queued'
"""
AGENT_STATS = """
SELECT count(*) FILTER (WHERE status = 'success') AS completed,
  count(*) FILTER (WHERE status = 'error') AS failed,
  avg(duration_ms) FILTER (WHERE status <> 'queued') AS mean_duration_ms
FROM agents LEFT JOIN tasks USING (agent_id) WHERE agent_id = $1 GROUP BY agent_id
"""
PUT_DOCUMENT = """
INSERT INTO documents (document_id, text) VALUES ($1, $2)
ON CONFLICT (document_id) DO UPDATE SET text = EXCLUDED.text, updated_at = now()
"""
ACQUIRE_SECONDS = 2.0
QUERY_SECONDS = 5.0
Row = dict[str, Any]


@dataclass
class Database:
    """The queries, on a connection pool; they raise `app.errors.SERVER_LOST_ERRORS`.

    `acquire_failures` counts the times that no connection could be acquired from the pool.
    """

    pool: "asyncpg.Pool[asyncpg.Record]"
    acquire_failures: int = 0

    @classmethod
    async def connect(cls, settings: Settings) -> "Database":
        """Open the pool and create the schema; several processes may do so at once."""
        pool = await asyncpg.create_pool(
            host=settings.postgres_host,
            port=settings.postgres_port,
            user=settings.postgres_user,
            password=settings.postgres_password.get_secret_value(),
            database=settings.postgres_db,
            min_size=1,
            max_size=settings.postgres_pool_size,
            timeout=2,
            command_timeout=QUERY_SECONDS,
            reset=_keep_session,
        )
        await pool.execute(SCHEMA)
        return cls(pool)

    async def close(self) -> None:
        """Close the pool; drop its connections if the server does not answer within 2 s."""
        try:
            await asyncio.wait_for(self.pool.close(), timeout=2)
        except TimeoutError:
            self.pool.terminate()

    async def ping(self) -> None:
        await self._row("SELECT 1")

    async def add_task(self, task: Task) -> bool:
        """Insert a queued task; returns False when there is no such agent."""
        added = await self._row(ADD_TASK, task.task_id, task.agent_id, task.task_type)
        return added is not None

    async def forget_task(self, task: Task) -> None:
        """Delete a task that could not be queued."""
        await self._row("DELETE FROM tasks WHERE task_id = $1", task.task_id)

    async def finish_task(self, task: Task, outcome: Outcome) -> None:
        """Store a task's outcome; storing it again changes nothing."""
        result = None if outcome.result is None else json.dumps(outcome.result)
        values = (outcome.status, result, outcome.error, outcome.duration_ms)
        await self._row(FINISH_TASK, task.task_id, task.agent_id, task.task_type, *values)

    async def task(self, task_id: UUID) -> Row | None:
        row = await self._row("SELECT * FROM tasks WHERE task_id = $1", task_id)
        if row is not None and row["result"] is not None:
            row["result"] = json.loads(row["result"])
        return row

    async def stats(self, agent_id: str) -> Row | None:
        """Return the agent's completed and failed tasks and their mean duration in milliseconds."""
        return await self._row(AGENT_STATS, agent_id)

    async def document(self, document_id: str) -> str | None:
        row = await self._row("SELECT text FROM documents WHERE document_id = $1", document_id)
        return None if row is None else row["text"]

    async def put_document(self, document_id: str, text: str) -> None:
        await self._row(PUT_DOCUMENT, document_id, text)

    async def _row(self, query: str, *values: object) -> Row | None:
        """Run a query and return its first row; `TimeoutError` if no connection becomes free."""
        try:
            connection = await self.pool.acquire(timeout=ACQUIRE_SECONDS)
        except SERVER_LOST_ERRORS:
            self.acquire_failures += 1
            raise
        try:
            row = await connection.fetchrow(query, *values)
        finally:
            await self.pool.release(connection)
        return None if row is None else dict(row)


async def _keep_session(_: object) -> None:
    """Skip the RESET that asyncpg sends after every query: nothing here changes the session."""
