"""Accepted tasks are finished although servers are stopped and workers killed."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest
from otelcol_runner.polling import poll_until
from pytest_otelcol.sinks import OtlpSink
from redis import Redis as Client

from app.errors import SERVER_LOST_ERRORS
from app.tasks.database import Database
from app.tasks.queue import GROUP
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.servers import connected_to, own_servers, run_postgres
from tests.support.service import Service
from tests.support.slow_api import SlowApi

OFF = {"OTEL_SDK_DISABLED": "true"}


@pytest.fixture
def slow_api() -> Iterator[SlowApi]:
    api = SlowApi()
    yield api
    api.close()


def health(service: Service) -> tuple[int, dict[str, str]]:
    answer = service.client.get("/health")
    return answer.status_code, answer.json()


def test_health_names_a_lost_server_and_recovers() -> None:
    with own_servers() as (postgres, redis), Service(postgres, redis, OFF) as service:
        service.client.put("/documents/kept", json={"text": "Kept."}).raise_for_status()
        for lost, server in (("redis", redis), ("postgres", postgres)):
            server.stop()
            check_it_is_missed(service, lost)
            server.start()
            poll_until(lambda: health(service)[0] == 200, f"health after {lost}", timeout=15)
            assert service.run("summarize_document", "kept")["status"] == "success"
        stats = service.client.get("/agents/researcher/stats").json()
        assert (stats["completed"], stats["failed"]) == (2, 0)


def test_every_error_of_a_killed_postgres_counts_as_server_lost() -> None:
    async def ask(database: Database, ending: asyncio.Event) -> None:
        while not ending.is_set():
            with contextlib.suppress(*SERVER_LOST_ERRORS):
                await database.ping()
            await asyncio.sleep(0)

    async def go(postgres: Postgres) -> None:
        database = await Database.connect(connected_to(postgres))
        ending = asyncio.Event()
        asking = asyncio.gather(*(ask(database, ending) for _ in range(8)))
        for _ in range(4):
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)
            await asyncio.sleep(0.1)  # the connections are in use again
        ending.set()
        await asking
        await database.close()

    with run_postgres() as postgres:
        asyncio.run(go(postgres))


def check_it_is_missed(service: Service, lost: str) -> None:
    poll_until(lambda: health(service)[0] == 503, f"{lost} missed")
    _, answer = health(service)
    other = ({"redis", "postgres"} - {lost}).pop()
    assert answer == {"status": "unavailable", lost: "lost", other: "ok"}
    started = time.monotonic()
    body = {"task_type": "word_statistics", "text": "one"}
    refused = service.client.post("/agents/researcher/tasks", json=body)
    assert time.monotonic() - started < 3
    sentence = f"{lost.capitalize()} is not available now: try again later"
    assert (refused.status_code, refused.json()) == (503, {"detail": sentence})


def test_a_task_whose_worker_is_killed_is_finished_by_another(
    postgres: Postgres, redis: Redis, slow_api: SlowApi
) -> None:
    with OtlpSink("otlp receiver") as sink:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "TASK_LEASE_SECONDS": "0.5"}
        with Service(postgres, redis, env, workers=0) as service:
            service.client.put("/documents/late", json={"text": "Late."}).raise_for_status()
            with service.worker(API_URL=slow_api.url) as doomed:
                task_id = service.send("summarize_document", "late")
                slow_api.wait_for_request()
                doomed.kill()
            with service.worker():
                assert service.result(task_id)["result"]["summary"] == "Late."
                span = sink.wait_for_span(
                    f"process {service.env['TASK_QUEUE']}", {"messaging.message.id": task_id}
                )
                depth = {"messaging.destination.name": service.env["TASK_QUEUE"]}
                sink.wait_for(
                    lambda s: (
                        [p.value for p in s.points if p.attributes.items() >= depth.items()][-1:]
                        == [0.0]
                    ),
                    "an empty queue",
                )
        assert span.attributes["messaging.message.delivery_count"] == 2
        send = sink.wait_for_span(f"send {service.env['TASK_QUEUE']}")
        assert (span.trace_id, span.parent_span_id) == (send.trace_id, send.span_id)


def test_a_worker_keeps_a_long_task_and_finishes_it_on_sigterm(
    postgres: Postgres, redis: Redis, slow_api: SlowApi
) -> None:
    lease = 2.0  # the worker renews it three times as often, also on a busy machine
    env = {**OFF, "TASK_LEASE_SECONDS": str(lease)}
    with (
        Service(postgres, redis, env, workers=0) as service,
        service.worker(API_URL=slow_api.url) as worker,
    ):
        task_id = service.send("summarize_document", "any")
        slow_api.wait_for_request()
        with service.worker():
            service.run("word_statistics", "the other worker has started")
            taken_at = time.monotonic()
            while time.monotonic() < taken_at + 2 * lease:
                service.run("word_statistics", "the other worker looks for abandoned tasks")
        os.kill(worker.pid, signal.SIGTERM)
        assert service.client.get(f"/tasks/{task_id}").json()["status"] == "queued"
        slow_api.answer("Done in time.")
        assert worker.stop() == 0
        assert service.result(task_id)["result"]["summary"] == "Done in time."


def test_useless_messages_are_dropped_and_deadly_tasks_given_up(
    postgres: Postgres, redis: Redis
) -> None:
    with (
        Service(postgres, redis, OFF, workers=0) as service,
        Client(port=redis.port, password="test-password", decode_responses=True) as client,
    ):
        queue = service.env["TASK_QUEUE"]
        deadly = service.send("word_statistics", "this would kill its worker")
        client.xreadgroup(GROUP, "killed", {queue: ">"})
        (pending,) = client.xpending_range(queue, GROUP, "-", "+", 1)
        entry = [pending["message_id"]]
        client.xclaim(queue, GROUP, "killed", 0, entry, idle=3_600_000, retrycount=5)
        client.xadd(queue, {"task_id": "not one of ours"})
        with service.worker():
            error = "gave up: 5 workers stopped while running this task"
            assert service.result(deadly)["error"] == error
            assert service.run("word_statistics", "the next")["status"] == "success"
            poll_until(lambda: client.xlen(queue) == 0, "an empty queue")


def test_a_database_error_does_not_drop_the_task(postgres: Postgres, redis: Redis) -> None:
    with Service(postgres, redis, OFF, workers=0) as service, service.worker() as worker:
        with without_column(postgres, "finished_at"):
            task_id = service.send("word_statistics", "stays in the queue until it can be stored")
            poll_until(lambda: "trying again" in worker.output(), "the worker's warning")
        assert service.result(task_id)["status"] == "success"


@contextmanager
def without_column(postgres: Postgres, column: str) -> Iterator[None]:
    async def rename(old: str, new: str) -> None:
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute(f"ALTER TABLE tasks RENAME COLUMN {old} TO {new}")
        await connection.close()

    asyncio.run(rename(column, "gone"))
    try:
        yield
    finally:
        asyncio.run(rename("gone", column))
