"""What the tests of every room run collectors with."""

from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol

from stack.services.collector import FEATURE_GATES


@pytest.fixture(scope="session")
def otelcol(otelcol_bin: Path) -> Otelcol:
    """The collector, with the feature gates that the shipped files need."""
    return Otelcol(otelcol_bin, [FEATURE_GATES])
