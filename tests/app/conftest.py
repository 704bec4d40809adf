"""Real Postgres and Redis for the session, and the services as processes with an OTLP receiver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from otelcol_runner.ports import free_port
from pydantic import SecretStr
from pytest_otelcol.sinks import OtlpSink

from app.settings import Settings
from stack.services.folders import scratch
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.service import House


@contextmanager
def folder(name: str) -> Iterator[Path]:
    path = scratch(name)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def connected_to(postgres: Postgres) -> Settings:
    """Return the settings of a service on this server."""
    return Settings(
        postgres_port=postgres.port,
        postgres_user=postgres.user,
        postgres_password=SecretStr(postgres.password),
        postgres_db="postgres",
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with (
        folder("postgres") as data,
        Postgres(free_port(), data, password="test-password") as server,
    ):
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    with folder("redis") as data, Redis(free_port(), data, password="test-password") as server:
        yield server


@pytest.fixture(scope="module")
def sink() -> Iterator[OtlpSink]:
    with OtlpSink("otlp receiver") as sink:
        yield sink


@pytest.fixture(scope="module")
def house(postgres: Postgres, redis: Redis, sink: OtlpSink) -> Iterator[House]:
    """An API and a worker, sending to `sink`."""
    with House(postgres, redis, {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url}) as house:
        yield house
