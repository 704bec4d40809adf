"""Every alert that Logfire evaluates fires on one side of each of its numbers only."""

import re

import pytest

from alerts import queries
from alerts.model import Alert, matrix
from tests.alerts.logfire_cases import EXPECTED, Case, all_cases, meets, survives

ALERTS = {alert.name: alert for alert in matrix().alerts if alert.logfire is not None}
CASES = [(name, case) for name in EXPECTED for case in all_cases(name)]


@pytest.mark.parametrize(("name", "case"), CASES, ids=str)
def test_an_alert_does_as_the_case_says_whole_and_sampled(name: str, case: Case) -> None:
    assert meets(ALERTS[name], case)


def test_every_alert_of_the_matrix_has_expectations_and_one_file() -> None:
    assert ALERTS.keys() == EXPECTED.keys()
    files = [path.name for path in queries.FOLDER.iterdir()]
    assert sorted(files) == sorted(map(queries.file_name, ALERTS.values()))


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_its_entry_as_it_is_meets_them_all(alert: Alert) -> None:
    assert survives(alert)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_no_number_stands_in_the_sql(alert: Alert) -> None:
    text = (queries.FOLDER / queries.file_name(alert)).read_text()
    statement = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    numbers = re.findall(r"(?<![\w.])\d+(?:\.\d+)?", statement)
    assert set(numbers) <= {"1", "500"}  # the weight of what is not sampled, and 5xx
    asked = set(re.findall(r"\$\{(\w+)\}", text))
    assert asked == {"threshold", *queries.evaluated(alert).numbers}
