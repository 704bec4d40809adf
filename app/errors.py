"""Which exceptions mean that Postgres or Redis is unavailable, and which of the two it is."""

import asyncpg
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

SERVER_LOST_ERRORS: tuple[type[Exception], ...] = (
    RedisConnectionError,
    RedisTimeoutError,
    ResponseError,  # it takes no writes: a replica, out of memory, its disk is full
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,  # it shuts down or starts up
    asyncpg.InterfaceError,  # the connection was lost during a query
    asyncpg.InternalClientError,  # or asyncpg notices only at the next query
    OSError,  # TimeoutError included: Postgres cannot be reached
)

# Postgres rejects the data itself, so trying again cannot help.
REJECTED_BY_POSTGRES: tuple[type[Exception], ...] = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
)


class ServerLostError(Exception):
    """Postgres or Redis did not answer, or cannot be used; the message says what to check."""


def server_of(error: BaseException) -> str:
    """Return the name of the server that raised one of `SERVER_LOST_ERRORS`."""
    return "Redis" if isinstance(error, RedisError) else "Postgres"


def reason(error: BaseException) -> str:
    """Return the first line of an error's message, or its type."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
