"""The connections of the API and the worker to Postgres and Redis."""

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
from redis.exceptions import ReadOnlyError, ResponseError

from app.errors import SERVER_LOST_ERRORS, ServerLostError, reason, server_of
from app.settings import Settings
from app.tasks.database import Database
from app.tasks.queue import TaskQueue
from app.tasks.redis_version import check_version

START_SECONDS = 30.0
RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Connections:
    database: Database
    queue: TaskQueue


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Connections]:
    """Connect to both; waits up to 30 s for servers that are still starting.

    Raises:
        ServerLostError: one of them did not answer, rejected the password, or is too old.
    """
    client = redis_client(settings)
    queue = TaskQueue(client, settings.task_queue, settings.task_lease_seconds)
    try:
        database = await _connect(settings, queue)
        try:
            yield Connections(database, queue)
        finally:
            await database.close()
    finally:
        await client.aclose()


def redis_client(settings: Settings) -> async_redis.Redis:
    """Return the queue's client: it retries once, at once; anything more is up to the caller.

    A replica was the primary when the client connected, so it connects anew: the same name or
    address may lead to the new primary by now.
    """
    return async_redis.Redis(
        host=settings.redis_host,
        port=settings.redis_port,
        password=settings.redis_password.get_secret_value() or None,
        decode_responses=True,
        socket_connect_timeout=2,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[ReadOnlyError],
    )


def gauge_client(settings: Settings) -> sync_redis.Redis:
    """Return the depth gauge's client: it blocks the export's thread, so its timeouts are short."""
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
            with suppress_instrumentation():  # creating the schema belongs to no request
                await check_version(queue.redis)
                await queue.prepare()
                return await Database.connect(settings)
        except SERVER_LOST_ERRORS as error:
            if time.monotonic() >= deadline:
                server = server_of(error)
                prefix = server.upper()
                did = "refused" if isinstance(error, ResponseError) else "did not answer"
                message = f"{server} {did}: {reason(error)}"
                raise ServerLostError(f"{message}; check {prefix}_HOST and {prefix}_PORT") from None
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            hint = "check POSTGRES_USER and POSTGRES_PASSWORD"
            raise ServerLostError(f"Postgres rejected the login: {reason(error)}; {hint}") from None
        await asyncio.sleep(RETRY_SECONDS)
