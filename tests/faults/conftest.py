"""Trials for the rows; FAULTS_OUTAGES=stated makes outages as long as documented."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol

from tests.faults.support.trial import Trial, run_trial

StartTrial = Callable[..., Trial]


@pytest.fixture
def start_trial(otelcol: Otelcol, tmp_path: Path) -> Iterator[StartTrial]:
    """Start trials of one test, with the arguments of `run_trial` after its folder."""
    folders = (tmp_path / f"trial-{number}" for number in itertools.count())
    with ExitStack() as stack:
        yield lambda *configs, **more: stack.enter_context(
            run_trial(otelcol, configs, next(folders), **more)
        )
