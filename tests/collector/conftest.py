import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol

from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline

StartPipeline = Callable[..., Pipeline]


@pytest.fixture
def start_pipeline(otelcol: Otelcol, tmp_path: Path) -> Iterator[StartPipeline]:
    """Start pipelines for one test: `start_pipeline("environments/production", ...)`."""
    folders = (tmp_path / f"pipeline-{number}" for number in itertools.count())
    with ExitStack() as stack:

        def start(*configs: str | Path, **env: str) -> Pipeline:
            return stack.enter_context(run_pipeline(otelcol, configs, next(folders), env))

        yield start


@pytest.fixture(scope="module")
def pipeline(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The default: development, hybrid route; shared by the tests of a file."""
    with run_pipeline(otelcol, DEVELOPMENT, tmp_path_factory.mktemp("pipeline"), {}) as running:
        yield running
