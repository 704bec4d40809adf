"""The consumers of the queue's group: those of stopped workers go, and never with a task."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from otelcol_runner.polling import poll_until
from pydantic import SecretStr
from redis import Redis as Client

from app.connections import redis_client
from app.settings import Settings
from app.tasks.consumers import remove_idle
from app.tasks.handlers import Task
from app.tasks.queue import GROUP, TaskQueue
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.servers import PASSWORD, run_redis
from tests.support.service import Service
from tests.support.slow_api import SlowApi

TASK = Task("1", "researcher", "word_statistics", "one two")


@asynccontextmanager
async def queue_on(redis: Redis, name: str, lease: float = 60) -> AsyncIterator[TaskQueue]:
    settings = Settings(redis_port=redis.port, redis_password=SecretStr(PASSWORD))
    client = redis_client(settings)
    queue = TaskQueue(client, name, lease)
    await client.delete(name)
    await queue.prepare()
    try:
        yield queue
    finally:
        await client.delete(name)
        await client.aclose()


def test_a_killed_workers_consumer_goes_after_its_task_was_taken_over(
    postgres: Postgres, redis: Redis
) -> None:
    env = {"OTEL_SDK_DISABLED": "true", "TASK_LEASE_SECONDS": "0.3"}
    with (
        closing(SlowApi()) as slow_api,
        Client(port=redis.port, password=PASSWORD) as client,
        Service(postgres, redis, env, workers=0) as service,
    ):

        def consumers() -> dict[bytes, int]:
            found: Any = client.xinfo_consumers(service.env["TASK_QUEUE"], GROUP)
            return {each["name"]: each["pending"] for each in found}

        service.client.put("/documents/late", json={"text": "Late."}).raise_for_status()
        with service.worker(API_URL=slow_api.url) as doomed:
            task = service.send("summarize_document", "late")
            slow_api.wait_for_request()
            doomed.kill()
        (dead,) = consumers()
        assert consumers() == {dead: 1}
        with service.worker() as living:
            assert service.result(task)["status"] == "success"
            poll_until(lambda: dead not in consumers(), "the dead worker's consumer removed")
            assert service.run("word_statistics", "the next")["status"] == "success"
            assert living.running


def test_a_consumer_with_a_pending_task_or_a_recent_poll_stays(redis: Redis) -> None:
    async def go() -> None:
        async with queue_on(redis, "consumers-stay") as queue:
            await pending_at(queue, "busy")
            done = await pending_at(queue, "idle")
            await queue.redis.xack(queue.name, GROUP, done)
            assert await remove_idle(queue.redis, queue.name, GROUP, 3600) == 0
            assert await remove_idle(queue.redis, queue.name, GROUP, 0) == 1
            left: Any = await queue.redis.xinfo_consumers(queue.name, GROUP)
            assert [each["name"] for each in left] == ["busy"]

    asyncio.run(go())


def test_no_consumer_is_removed_with_the_task_it_has_just_received(redis: Redis) -> None:
    async def work(queue: TaskQueue, name: str) -> list[str]:
        forgotten = []
        for _ in range(300):
            await queue.redis.xadd(queue.name, {"task_id": "1"})
            found: Any = await queue.redis.xreadgroup(GROUP, name, {queue.name: ">"}, count=1)
            entry: str = found[0][1][0][0]
            if not await queue.redis.xack(queue.name, GROUP, entry):
                forgotten.append(entry)
        return forgotten

    async def go() -> None:
        async with queue_on(redis, "consumers-race") as queue:
            working = asyncio.gather(*(work(queue, f"live-{number}") for number in range(4)))
            removed = 0
            while not working.done():
                removed += await remove_idle(queue.redis, queue.name, GROUP, 0)
            assert removed > 100
            assert await working == [[], [], [], []]

    asyncio.run(go())


def test_an_abandoned_task_is_found_behind_many_running_ones(redis: Redis) -> None:
    async def go() -> None:
        async with queue_on(redis, "consumers-many") as queue:
            for _ in range(25):
                await pending_at(queue, "busy")
            abandoned = await pending_at(queue, "killed", idle=120)
            found = await queue.receive()
            assert found
            assert (found.entry_id, found.deliveries) == (abandoned, 2)

    asyncio.run(go())


def test_a_pending_task_that_was_deleted_is_forgotten(redis: Redis) -> None:
    async def go() -> None:
        async with queue_on(redis, "consumers-deleted") as queue:
            deleted = await pending_at(queue, "killed", idle=120)
            await queue.redis.xdel(queue.name, deleted)
            await queue.send(TASK)
            found = await queue.receive()
            assert found
            pending: Any = await queue.redis.xpending_range(queue.name, GROUP, "-", "+", 9)
            assert [each["message_id"] for each in pending] == [found.entry_id]

    asyncio.run(go())


def test_where_scripts_are_not_allowed_tasks_run_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def go(server: Redis) -> None:
        async with queue_on(server, "no-scripts") as queue:
            await queue.redis.acl_setuser("default", commands=["-eval"])
            await queue.send(TASK)
            found = await queue.receive()
            assert found
            assert found.task == TASK

    with run_redis() as own:
        asyncio.run(go(own))
    assert [record.message for record in caplog.records] == ["Idle consumers not removed"]


async def pending_at(queue: TaskQueue, consumer: str, idle: float = 0) -> str:
    """Queue a task, and deliver it to the consumer `idle` seconds ago; returns its entry."""
    await queue.send(TASK)
    found: Any = await queue.redis.xreadgroup(GROUP, consumer, {queue.name: ">"}, count=1)
    entry: str = found[0][1][0][0]
    since = int(idle * 1000)
    await queue.redis.xclaim(
        queue.name, GROUP, consumer, 0, [entry], idle=since, retrycount=1, justid=True
    )
    return entry
