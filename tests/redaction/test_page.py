"""Every measured part of scrubbing has its figure, and the benchmark runs."""

import json

import pytest

from bench.redaction.measure import FIGURES, added, measure
from bench.redaction.stage import COPIES, NONE, body, patterns, shipped, variants


def test_every_measured_variant_has_a_figure() -> None:
    found = json.loads(FIGURES.read_text())
    assert found["us_a_span"].keys() == variants().keys()
    assert found["ns_a_span_by_pattern"].keys() == patterns().keys() - {NONE}


def test_the_measure_runs_on_the_shipped_stage() -> None:
    stages = {"no scrubbing": {}, "all": shipped()}
    figures = measure(stages, body(), rounds=1, spans=2000)
    assert figures.keys() == {"no scrubbing", "all"}


def test_a_patterns_cost_is_the_mean_over_its_copies() -> None:
    assert added({NONE: 5.0, "a+": 5.0 + COPIES / 1000}) == {"a+": pytest.approx(1.0)}
