import pytest
from pytest_otelcol.collector import Otelcol

from stack.services.collector import FEATURE_GATES
from stack.tools import toolchain


@pytest.fixture(scope="session")
def whole() -> Otelcol:
    """The collector with every component that the manifests use."""
    return Otelcol(toolchain.kubernetes_collector(), [FEATURE_GATES])
