from collections.abc import Iterator

import pytest
from pytest_otelcol.collector import Otelcol

from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline


@pytest.fixture(scope="module")
def pipeline(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The default: development, hybrid route; shared by the tests of a file."""
    with run_pipeline(otelcol, DEVELOPMENT, tmp_path_factory.mktemp("pipeline"), {}) as running:
        yield running
