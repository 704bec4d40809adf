"""Every measured part of scrubbing has its figure, and the benchmark runs."""

import json

from bench.redaction.measure import FIGURES, measure
from bench.redaction.stage import MESSAGE, body, growth, shipped, variants
from tests.redaction.masking import mask, unread


def test_every_measured_variant_has_a_figure() -> None:
    found = json.loads(FIGURES.read_text())
    assert found["us_a_span"].keys() == variants().keys()
    assert found["us_a_message_by_tokens"].keys() == growth().keys()


def test_the_message_of_the_measure_is_read_whole_and_holds_no_secret() -> None:
    assert len(MESSAGE) == 120
    assert not unread(MESSAGE)
    assert mask(MESSAGE) == MESSAGE


def test_the_measure_runs_on_the_shipped_stage() -> None:
    stages = {"no scrubbing": {}, "all": shipped()}
    figures = measure(stages, body(), rounds=1, spans=2000)
    assert figures.keys() == {"no scrubbing", "all"}
