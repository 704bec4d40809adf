"""Fixtures of all rooms: the collector, pipelines with recording backends, Postgres and Redis."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol

from stack.services.collector import FEATURE_GATES
from stack.services.postgres import Postgres
from stack.services.prometheus import Prometheus
from stack.services.redis import Redis
from tests.support.ledger import ledger_prometheus
from tests.support.pipeline import Pipeline, StartPipeline, run_pipeline
from tests.support.servers import run_postgres, run_redis


@pytest.fixture(scope="session")
def otelcol(otelcol_bin: Path) -> Otelcol:
    """The collector, with the feature gates that the shipped files need."""
    return Otelcol(otelcol_bin, [FEATURE_GATES])


@pytest.fixture
def start_pipeline(otelcol: Otelcol, tmp_path: Path) -> Iterator[StartPipeline]:
    """Start pipelines for one test: `start_pipeline("environments/production", ...)`."""
    folders = (tmp_path / f"pipeline-{number}" for number in itertools.count())
    with ExitStack() as stack:

        def start(*configs: str | Path, **env: str) -> Pipeline:
            return stack.enter_context(run_pipeline(otelcol, configs, next(folders), env))

        yield start


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with run_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    with run_redis() as server:
        yield server


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    """A real Prometheus with the shipped rules, evaluated often."""
    with ledger_prometheus(tmp_path / "prometheus") as server:
        yield server
