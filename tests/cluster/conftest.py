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
from tests.cluster import surroundings
from tests.cluster.kills import Kills
from tests.cluster.overlays import Overlay
from tests.cluster.running import Cluster, running_cluster
from tests.support.timeouts import allow

ALERTS = Path(__file__).parent / "test_alerts.py"
ran: list[Cluster] = []
# What holds of a cluster made here says nothing about another one, and needs root.
collect_ignore = ["test_machine.py"] if os.environ.get("KUBECONFIG") else []


@pytest.hookimpl(tryfirst=True)  # then pytest groups the tests by overlay
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first test time to build the cluster's program and its images.

    Alerts come last, in each overlay: what they wait for happens while the others run.
    """
    allow(items, Path(__file__).parent, 3600)
    items.sort(key=lambda item: item.path == ALERTS)


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
def prepared(cluster: Cluster) -> Overlay:
    """Postgres, Redis, Prometheus and clients in the cluster, perhaps not ready yet; no overlay."""
    surroundings.surround(cluster)
    return Overlay(cluster)


@pytest.fixture(scope="session")
def overlay(prepared: Overlay, request: pytest.FixtureRequest) -> Iterator[Overlay]:
    """The overlay that a test names, ready: see `tests.cluster.overlays.applied`.

    In `local` the gateway's guard is killed while the tests run.
    """
    prepared.switch(request.param)
    surroundings.wait(prepared.kubectl)
    with ExitStack() as stack:
        if request.param == "local":
            prepared.kills = stack.enter_context(Kills(prepared.kubectl))
        yield prepared


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on which cluster the tests ran, and what could not be seen in it."""
    for cluster in ran:
        terminalreporter.section("cluster")
        terminalreporter.line(cluster.origin)
        for line in cluster.unseen:
            terminalreporter.line(f"NOT checked: {line}")
