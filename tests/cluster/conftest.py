"""One cluster for all tests: the one that KUBECONFIG names, or one made on this machine."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from otelcol_runner.polling import NotSeenError
from otelcol_runner.process import ProcessFailedError

from stack.errors import UserError
from stack.tools.progress import say
from tests.cluster.overlays import Overlay
from tests.cluster.running import Cluster, running_cluster
from tests.cluster.surroundings import surround
from tests.support.timeouts import allow

ran: list[Cluster] = []
# What holds of a cluster made here says nothing about another one, and needs root.
collect_ignore = ["test_machine.py"] if os.environ.get("KUBECONFIG") else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first test time to build the cluster's program and its images."""
    allow(items, Path(__file__).parent, 3600)


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """A cluster with two nodes or more, DNS, network policies and metrics, and nothing of ours."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with ExitStack() as stack:
        try:
            with capture.global_and_fixture_disabled():  # it takes minutes, and says what it does
                running = stack.enter_context(running_cluster(say))
        except (UserError, NotSeenError, ProcessFailedError) as error:
            pytest.exit(str(error), returncode=1)  # once, and not for each test
        ran.append(running)
        yield running


@pytest.fixture(scope="session")
def surroundings(cluster: Cluster) -> Overlay:
    """Postgres, Redis, Prometheus and clients in the cluster, and no overlay yet."""
    surround(cluster)
    return Overlay(cluster)


@pytest.fixture(scope="session")
def overlay(surroundings: Overlay, request: pytest.FixtureRequest) -> Overlay:
    """The overlay that a test names, ready: see `tests.cluster.overlays.applied`."""
    surroundings.switch(request.param)
    return surroundings


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on which cluster the tests ran, and what could not be seen in it."""
    for cluster in ran:
        terminalreporter.section("cluster")
        terminalreporter.line(cluster.origin)
        for line in cluster.unseen:
            terminalreporter.line(f"NOT checked: {line}")
