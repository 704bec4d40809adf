"""The version of Redis is checked at the start of the API and the worker."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from otelcol_runner.ports import free_port
from redis import Redis as Client
from redis.asyncio import Redis as AsyncClient

from app.errors import ServerLostError
from app.tasks.redis_version import check_version
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.relay import Relay
from tests.support.servers import PASSWORD, scratch_folder
from tests.support.service import Service

NEEDED = "the queue needs Redis 7.0 or newer, or Valkey; set REDIS_HOST to such a server"


@contextmanager
def saying(redis: Redis, version: str) -> Iterator[tuple[int, str]]:
    """Give a port on which the server says that it is of this version, made as long as its own."""
    with Client(port=redis.port, password=PASSWORD, decode_responses=True) as client:
        real = client.execute_command("HELLO")["version"]
    said = version.ljust(len(real), "9")
    with Relay(redis.port, real.encode(), said.encode()) as relay:
        yield relay.port, said


async def checked(port: int, protocol: int = 3) -> None:
    client = AsyncClient(port=port, password=PASSWORD, protocol=protocol, decode_responses=True)
    try:
        await check_version(client)
    finally:
        await client.aclose()


@pytest.mark.parametrize("protocol", [2, 3])
def test_the_oldest_version_is_accepted_and_an_older_one_refused(
    redis: Redis, protocol: int
) -> None:
    with saying(redis, "7.0") as (port, _):
        asyncio.run(checked(port, protocol))
    with saying(redis, "6.9") as (port, old), pytest.raises(ServerLostError) as refused:
        asyncio.run(checked(port, protocol))
    assert str(refused.value) == f"Redis {old} is too old: {NEEDED}"


def test_a_server_that_cannot_say_its_version_is_too_old() -> None:
    with scratch_folder("redis") as data:
        server = Redis(free_port(), data, password=PASSWORD)
        server.argv += ["--rename-command", "HELLO", ""]  # as before 6.0
        with server, pytest.raises(ServerLostError, match=r"Redis before 6\.2 is too old"):
            asyncio.run(checked(server.port, protocol=2))


@pytest.mark.parametrize("module", ["app.api", "app.worker"])
def test_a_service_with_an_old_redis_does_not_start_and_says_why(
    postgres: Postgres, redis: Redis, module: str
) -> None:
    env = {"OTEL_SDK_DISABLED": "true"}
    with saying(redis, "6.9") as (port, old):
        service = Service(postgres, redis, env | {"REDIS_PORT": str(port)})
        done = service.start_in_vain(module)
    assert done.returncode != 0
    assert done.stderr.count(f"Redis {old} is too old: {NEEDED}\n") == 1
    assert "Traceback" not in done.stderr
