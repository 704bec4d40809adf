"""The rules in promtool: each alert fires, stays quiet and resolves when it should."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.model import Alert, matrix
from alerts.rules import UNITS
from alerts.slos import slos
from stack.paths import PROMETHEUS
from tests.support.promtool import promtool

UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.test.yml"))
ALERTS = [alert for alert in matrix().alerts if alert.prometheus is not None]
ASKED = [
    test.get("alert_rule_test", [])
    for path in UNIT_TESTS
    for test in yaml.safe_load(path.read_text())["tests"]
]
EDGES = ["quiet", "fires", "quiet"]


def test_promtool_accepts_every_rule() -> None:
    done = promtool("check", "config", "--lint=all", PROMETHEUS / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    files = [str(path.relative_to(PROMETHEUS)) for path in (PROMETHEUS / "rules").rglob("*.yml")]
    assert [name for name in files if name not in done.stdout] == []


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.name.split(".")[0])
def test_the_unit_tests_of_the_rules_pass(path: Path) -> None:
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def answers(alert: Alert) -> Iterator[list[str]]:
    """Yield for each unit test, ordered by time, whether the alert fires, without repetitions."""
    for test in ASKED:
        asked = sorted((one for one in test if one["alertname"] == alert.name), key=seconds)
        states = ["fires" if fires(alert, one) else "quiet" for one in asked]
        yield [now for now, before in zip(states, ["", *states], strict=False) if now != before]


def seconds(asked: dict[str, Any]) -> int:
    parts = re.findall(r"(\d+)([smhd])", str(asked["eval_time"]))
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def fires(alert: Alert, asked: dict[str, Any]) -> bool:
    """Tell whether it is expected to fire, with its exact annotations."""
    found = [
        one
        for one in asked.get("exp_alerts", [])
        if one["exp_labels"]["severity"] == alert.severity
    ]
    assert all(len(one["exp_annotations"]) == 5 for one in found), asked
    return bool(found)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_every_alert_has_a_unit_test_that_fires_and_resolves(alert: Alert) -> None:
    cases = [states[:3] for states in answers(alert)]
    assert EDGES in cases, (
        f"add a case to prometheus/tests/ in which {alert.name} is quiet, fires and resolves"
    )


@pytest.mark.parametrize("severity", [burn.severity for burn in slos().burns])
@pytest.mark.parametrize("name", [slo.name for slo in slos().slos])
def test_every_burn_rate_alert_has_cases_that_fire_and_that_do_not(
    name: str, severity: str
) -> None:
    asked = f'sum by (job) (ALERTS{{alertname="{name}",severity="{severity}",alertstate="firing"}})'
    values = [
        sorted(
            (one for one in test.get("promql_expr_test", []) if one["expr"] == asked), key=seconds
        )
        for path in UNIT_TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
    ]
    states = [["fires" if "exp_samples" in one else "quiet" for one in each] for each in values]
    edges = [each for each in states if each]
    assert edges, f"add a case to prometheus/tests/ that asks for {asked}"
    assert all(each[0] == each[-1] == "quiet" and "fires" in each for each in edges)
