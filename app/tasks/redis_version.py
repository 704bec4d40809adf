"""Which Redis the queue works on, checked at the start of the API and the worker."""

import re
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.errors import ServerLostError

OLDEST = "7.0"
"""From here on XAUTOCLAIM forgets deleted tasks; all versions of Valkey are newer."""
NO_HELLO = ("unknown command", "wrong number of arguments")  # before 6.0, before 6.2
HINT = f"the queue needs Redis {OLDEST} or newer, or Valkey; set REDIS_HOST to such a server"


async def check_version(redis: Redis) -> None:
    """Raise `ServerLostError` if the server is older than `OLDEST`."""
    version = await _version(redis)
    if _numbers(version) < _numbers(OLDEST):
        raise ServerLostError(f"Redis {version} is too old: {HINT}")


async def _version(redis: Redis) -> str:
    """Return the version that the server says; HELLO, unlike INFO, is allowed to every user."""
    client: Any = redis  # its method for any command has no types
    try:
        said = await client.execute_command("HELLO")
    except ResponseError as error:
        if not str(error).startswith(NO_HELLO):
            raise
        return "before 6.2"
    pairs = said if isinstance(said, dict) else dict(zip(said[::2], said[1::2], strict=True))
    return str(pairs["version"])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
