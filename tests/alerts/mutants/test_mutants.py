"""The mutation tests find a change that no test notices, and only then."""

from dataclasses import replace

from tests.alerts.mutants.__main__ import chosen, survivors
from tests.alerts.mutants.mutations import alternatives


def test_only_the_unchanged_alert_survives() -> None:
    every = chosen(["BackendTokenRefused", "ApplicationErrorRateHigh"])
    alive = survivors(every)
    assert len(every) > 20
    assert [mutant.change for mutant in alive] == [""]


def test_an_untested_mutant_survives() -> None:
    every = chosen(["BackendTokenRefused"])
    untested = [replace(mutant, name="NoSuchAlert") for mutant in every]
    assert survivors(untested) == untested


def test_alternatives_of_numbers_durations_and_comparisons() -> None:
    assert alternatives(("prometheus", "threshold"), 0.5) == [0.45, 0.55]
    assert alternatives(("prometheus", "threshold"), 0) == [-1, 1]
    assert alternatives(("prometheus", "for"), "5m") == ["150s", "600s"]
    assert alternatives(("logfire", "window"), "5m") == ["2m", "10m"]
    assert alternatives(("prometheus", "compare"), ">") == [">=", "<"]
    assert alternatives(("prometheus", "numbers", "guard"), "one|two") == ["two", "one"]
    assert alternatives(("means",), "One of 2 fails.") == []
