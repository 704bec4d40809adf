"""The servers the API and the worker share: opened at the start, closed at the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import redis as sync_redis
from opentelemetry.instrumentation.utils import suppress_instrumentation
from redis import asyncio as async_redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.database import Database
from app.errors import LOST_SERVER, ServerLostError, lost_server, reason
from app.queue import TaskQueue
from app.settings import Settings

START_SECONDS = 30.0
RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Services:
    """Postgres, and Redis with the task queue."""

    database: Database
    queue: TaskQueue


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Services]:
    """Connect to both; waits half a minute for servers that start at the same time.

    Raises:
        ServerLostError: one of them did not answer, or refused the password.
    """
    client = redis_client(settings)
    queue = TaskQueue(client, settings.task_queue, settings.task_lease_seconds)
    try:
        database = await _connect(settings, queue)
        try:
            yield Services(database, queue)
        finally:
            await database.close()
    finally:
        await client.aclose()


def redis_client(settings: Settings) -> async_redis.Redis:
    """Return the client of the queue: one immediate second try, then the caller decides."""
    return async_redis.Redis(
        host=settings.redis_host,
        port=settings.redis_port,
        password=settings.redis_password.get_secret_value() or None,
        decode_responses=True,
        socket_connect_timeout=2,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 1),
    )


def gauge_client(settings: Settings) -> sync_redis.Redis:
    """Return the client of the depth gauge: it works in the export's thread, and gives up soon."""
    return sync_redis.Redis(
        host=settings.redis_host,
        port=settings.redis_port,
        password=settings.redis_password.get_secret_value() or None,
        socket_connect_timeout=0.5,
        socket_timeout=0.5,
    )


async def _connect(settings: Settings, queue: TaskQueue) -> Database:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with suppress_instrumentation():  # the schema is no part of any request
                await queue.prepare()
                return await Database.connect(settings)
        except LOST_SERVER as error:
            if time.monotonic() >= deadline:
                sentence = f"{lost_server(error)} did not answer: {reason(error)}"
                raise ServerLostError(f"{sentence}; check its host and port variables") from None
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            hint = "check POSTGRES_USER and POSTGRES_PASSWORD"
            raise ServerLostError(f"Postgres refused: {reason(error)}; {hint}") from None
        await asyncio.sleep(RETRY_SECONDS)
