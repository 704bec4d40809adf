"""When a server is lost: which exceptions say so, and which server it was."""

import asyncpg
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

LOST_SERVER: tuple[type[Exception], ...] = (
    RedisConnectionError,
    RedisTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up
    asyncpg.InterfaceError,  # the connection went away under a query
    asyncpg.InternalClientError,  # and now and then asyncpg does not notice before the next one
    OSError,  # TimeoutError included: Postgres cannot be reached
)

# What Postgres refuses because of what was sent, however often.
UNFIT: tuple[type[Exception], ...] = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
)


class ServerLostError(Exception):
    """Postgres or Redis did not answer; the message says which and what to check."""


def lost_server(error: BaseException) -> str:
    """Name the server that an exception of `LOST_SERVER` speaks of."""
    return "Redis" if isinstance(error, RedisError) else "Postgres"


def reason(error: BaseException) -> str:
    """Say in one line why a server did not answer."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
