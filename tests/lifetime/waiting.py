"""Tests that wait to be stopped. Only `test_test_run.py` runs them, by the file's name."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest
from otelcol_runner.ports import free_port
from pytest_otelcol.collector import Otelcol

from stack.paths import ROOT
from stack.services.folders import scratch
from stack.services.postgres import Postgres
from stack.services.redis import Redis

CONFIG = ROOT / "pytest_otelcol" / "tests" / "configs" / "base.yaml"


@pytest.fixture(scope="session")
def servers(otelcol: Otelcol, worker_id: str) -> Iterator[str]:
    """Start three servers; returns the worker's name."""
    with ExitStack() as stack:
        folders = [scratch(name) for name in ("postgres", "redis")]
        for folder in folders:
            stack.callback(shutil.rmtree, folder)
        stack.enter_context(Postgres(free_port(), folders[0], password="test-password"))
        stack.enter_context(Redis(free_port(), folders[1]))
        stack.enter_context(otelcol.run([CONFIG], {"BACKEND": "http://127.0.0.1:9"}))
        yield worker_id


@pytest.mark.parametrize("number", [1, 2])
def test_that_waits(servers: str, number: int) -> None:
    Path(os.environ["WAITING"], servers).touch()
    Event().wait()
