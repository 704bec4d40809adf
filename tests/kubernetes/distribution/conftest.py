import pytest
from pytest_otelcol.collector import Otelcol

from stack import toolchain
from stack.services import FEATURE_GATES


@pytest.fixture(scope="session")
def whole() -> Otelcol:
    """The collector that has every component the manifests name."""
    return Otelcol(toolchain.kubernetes_collector(), [FEATURE_GATES])
