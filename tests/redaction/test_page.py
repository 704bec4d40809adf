"""docs/redaction.md is what its command writes, and the command runs."""

from bench.redaction.measure import BEGIN, PAGE, PIPE, measure
from bench.redaction.stage import NONE, body, patterns, shipped, variants


def test_the_page_has_a_row_for_everything_that_is_measured() -> None:
    rows = PAGE.read_text().partition(BEGIN)[2]
    assert [name for name in variants() if f"| {name} |" not in rows] == []
    listed = [name.replace("|", PIPE) for name in patterns() if name != NONE]
    assert [name for name in listed if f"| `{name}` |" not in rows] == []


def test_the_measure_runs_on_the_shipped_stage() -> None:
    stages = {"no scrubbing": {}, "all": shipped()}
    figures = measure(stages, body(), rounds=1, spans=2000)
    assert figures.keys() == {"no scrubbing", "all"}
