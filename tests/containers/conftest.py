"""The whole stack in containers, once for all tests; reports what could not run."""

from collections.abc import Iterator

import pytest

from tests.containers.compose import Compose
from tests.containers.docker import engine

ran: list[Compose] = []
SECRETS = {
    "POSTGRES_PASSWORD": "p@ss/w:rd",
    "REDIS_PASSWORD": 'r3dis "p@ss\\w',
    "OTLP_TOKEN": "token-of-the-tests",
    "PAGER_WEBHOOK_URL": "http://recorder:9095/pager?key=key-of-the-pager",
}
NO_ENGINE = (
    "no Docker engine answers: start it (and check DOCKER_HOST and your group), "
    "or on a new Debian run .ci/docker-engine as root"
)


@pytest.fixture(scope="session")
def docker_engine() -> str:
    """The engine's version; without an engine the container tests fail with a sentence."""
    return engine() or pytest.fail(NO_ENGINE)


@pytest.fixture(scope="session")
def stack(docker_engine: str) -> Iterator[Compose]:
    """`docker-compose.yml` with the page, unusual passwords, a token and no Logfire account."""
    settings = {**SECRETS, "COMPOSE_PROFILES": "page", "INFRASTRUCTURE_INTERVAL": "2s"}
    with Compose("test", OVERLAYS="token", **settings) as running:
        ran.append(running)
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on which images the tests ran, and that Grafana did not where it could not."""
    if not ran:
        return
    built_here = str(ran[0].images["COLLECTOR_IMAGE"]).startswith("agentical-test/")
    origin = "images built here" if built_here else "upstream images"
    terminalreporter.section("containers")
    terminalreporter.line(f"compose ran on Docker {engine()} with {origin}")
    if "grafana" in ran[0].left_out:
        terminalreporter.line(
            "Grafana did NOT run: its image could not be pulled; its provisioning and its "
            "dashboards were checked by tests/dashboards alone"
        )
