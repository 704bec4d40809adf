"""What every test of the repository may use: the collector's binary."""

from pathlib import Path

import pytest
from pytest_otelcol.plugin import given_binary

from stack.tools import toolchain


@pytest.fixture(scope="session")
def otelcol_bin(pytestconfig: pytest.Config) -> Path:
    """Return the collector that the user names, else the one that `make tools` finds or builds."""
    return given_binary(pytestconfig) or toolchain.collector()
