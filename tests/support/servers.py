"""Real Postgres and Redis servers with folders of their own, and settings of a service on them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otelcol_runner.ports import free_port
from pydantic import SecretStr

from app.settings import Settings
from stack.services.folders import scratch
from stack.services.postgres import Postgres
from stack.services.redis import Redis

PASSWORD = "test-password"


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Create a folder that servers may write to, and remove it afterwards."""
    path = scratch(name)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    with (
        scratch_folder("postgres") as data,
        Postgres(free_port(), data, password=PASSWORD) as server,
    ):
        yield server


@contextmanager
def run_redis() -> Iterator[Redis]:
    with scratch_folder("redis") as data, Redis(free_port(), data, password=PASSWORD) as server:
        yield server


@contextmanager
def own_servers() -> Iterator[tuple[Postgres, Redis]]:
    """Run both for one test, which may stop them."""
    with run_postgres() as postgres, run_redis() as redis:
        yield postgres, redis


def connected_to(postgres: Postgres) -> Settings:
    """Return the settings of a service on this server."""
    return Settings(
        postgres_port=postgres.port,
        postgres_user=postgres.user,
        postgres_password=SecretStr(postgres.password),
        postgres_db="postgres",
    )
