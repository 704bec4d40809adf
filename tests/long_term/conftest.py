"""The stores, each started once in a run of these files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.long_term.stores import Store, Thanos, VictoriaMetrics, thanos
from tests.support.timeouts import allow

STORES = ("victoria_metrics", "thanos_store")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first run time to build the stores."""
    allow(items, Path(__file__).parent, 1800)


@pytest.fixture(scope="session")
def victoria_metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    with VictoriaMetrics(tmp_path_factory.mktemp("victoria-metrics")) as store:
        yield store


@pytest.fixture(scope="session")
def thanos_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thanos]:
    with thanos(tmp_path_factory.mktemp("thanos")) as store:
        yield store


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    """Each store in turn."""
    found: Store = request.getfixturevalue(request.param)
    return found
