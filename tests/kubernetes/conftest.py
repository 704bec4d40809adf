from pathlib import Path

import pytest

from tests.support.timeouts import allow


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first run time to build Kustomize, the operator's types and a collector."""
    allow(items, Path(__file__).parent, 1800)
