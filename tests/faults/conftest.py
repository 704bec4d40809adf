"""Trials for the rows; FAULTS_OUTAGES=stated makes their outages as long as the docs say."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.ports import free_port

from stack.services import FEATURE_GATES, Prometheus
from tests.faults.trial import Trial, run_trial
from tests.ledger.book import quick_rules

StartTrial = Callable[..., Trial]


@pytest.fixture(scope="session")
def otelcol(otelcol_bin: Path) -> Otelcol:
    return Otelcol(otelcol_bin, [FEATURE_GATES])


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    """A real Prometheus with the repository's configuration, its rules evaluated often."""
    data = tmp_path / "prometheus"
    with Prometheus(free_port(), data / "data", config=quick_rules(data)) as server:
        yield server


@pytest.fixture
def start_trial(otelcol: Otelcol, tmp_path: Path) -> Iterator[StartTrial]:
    """Start trials of one test, with the arguments of `run_trial` after its folder."""
    folders = (tmp_path / f"trial-{number}" for number in itertools.count())
    with ExitStack() as stack:
        yield lambda *configs, **more: stack.enter_context(
            run_trial(otelcol, configs, next(folders), **more)
        )
