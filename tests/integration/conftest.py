"""One pipeline for all tests: in containers where a Docker engine answers, else as processes."""

import os
from collections.abc import Iterator
from typing import Protocol

import pytest

from stack.pipeline.launch import Pipeline
from tests.containers.docker import engine
from tests.integration.containers import Containers


class Running(Protocol):
    """What the tests need to know of a running pipeline."""

    api_url: str
    logfire_url: str
    read_token: str
    prometheus_url: str


def in_containers() -> bool:
    """Tell whether to use containers. `INTEGRATION_ON=processes` prevents that."""
    return bool(engine()) and os.environ.get("INTEGRATION_ON") != "processes"


@pytest.fixture(scope="session")
def pipeline() -> Iterator[Running]:
    """The app against Postgres, Redis, the collector, the Logfire stand-in and Prometheus."""
    if in_containers():
        with Containers() as containers:
            yield containers
    else:
        intervals = {"SPAN_METRICS_INTERVAL": "1s", "INFRASTRUCTURE_INTERVAL": "1s"}
        with Pipeline(variables=intervals) as processes:
            yield processes


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report where the servers ran."""
    where = (
        f"containers of Docker {engine()}"
        if in_containers()
        else "processes: no container was used"
    )
    terminalreporter.section("integration")
    terminalreporter.line(f"the servers ran as {where}")
