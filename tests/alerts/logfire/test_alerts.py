"""Every alert that Logfire evaluates fires on only one side of each threshold."""

import re

import pytest

from alerts import queries
from alerts.model import Alert
from tests.alerts.logfire.cases import (
    ALERTS,
    EXPECTED,
    Case,
    all_cases,
    meets,
    survives,
    tells_as_expected,
)

CASES = [(name, case) for name in EXPECTED for case in all_cases(name)]


@pytest.mark.parametrize(("name", "case"), CASES, ids=str)
def test_an_alert_fires_as_the_case_says_with_and_without_sampling(name: str, case: Case) -> None:
    assert meets(ALERTS[name], case)


def test_every_alert_of_the_matrix_has_expectations_and_one_file() -> None:
    assert ALERTS.keys() == EXPECTED.keys()
    files = [path.name for path in queries.FOLDER.iterdir()]
    assert sorted(files) == sorted(map(queries.file_name, ALERTS.values()))


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_severity_and_frequency_are_as_expected(alert: Alert) -> None:
    assert tells_as_expected(alert)


def test_changing_any_number_fails_a_case() -> None:
    alert = ALERTS["ApplicationErrorRateHigh"]
    changes = ({"threshold": 0.06}, {"window": "10m"}, {"window": "2m"}, {"frequency": "2m"})
    changed = [
        alert.model_copy(update={"logfire": queries.evaluated(alert).model_copy(update=change)})
        for change in changes
    ]
    assert survives(alert)
    assert [survives(each) for each in changed] == [False] * len(changes)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_the_sql_contains_no_threshold(alert: Alert) -> None:
    text = (queries.FOLDER / queries.file_name(alert)).read_text()
    statement = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    numbers = re.findall(r"(?<![\w.])\d+(?:\.\d+)?", statement)
    assert set(numbers) <= {"1", "500"}  # the weight without sampling, and the status class 5xx
    asked = set(re.findall(r"\$\{(\w+)\}", text))
    assert asked == {"threshold", *queries.evaluated(alert).numbers}
