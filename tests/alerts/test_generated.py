"""What is generated from the matrix is complete and can be compressed in time."""

import re
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from alerts import generate, page, rules
from alerts.model import Alert, Matrix, PrometheusRule, matrix

EVERY = [(a, a.prometheus) for a in matrix().alerts if a.prometheus is not None]
QUEUE: dict[str, Any] = {
    "name": "QueueLong",
    "severity": "warning",
    "pillar": "queue",
    "means": "The queue is long.",
    "action": "look",
    "dashboard": "queue",
    "prometheus": {
        "expr": "max by (queue) (max_over_time(depth[$window]) - depth offset $before)",
        "compare": ">",
        "threshold": 1073741824,
        "window": "10m",
        "for": "5m",
        "also": "unless on () absent > $most",
        "numbers": {"before": "1h", "most": 0.5},
        "description": "{{ $labels.queue }} holds {{ $value }} more than $before ago.",
    },
}
LINKS = {"runbooks": "https://runbooks", "grafana": "https://grafana"}


def made(factor: float) -> rules.Rule:
    matrix = Matrix.model_validate({"links": LINKS, "alerts": [QUEUE]})
    found: rules.Rule = rules.groups(matrix, factor, 1.0)["queue"]["rules"][0]
    return found


def test_a_rule_has_its_numbers_and_a_runbook() -> None:
    assert made(1) == {
        "alert": "QueueLong",
        "expr": "(max by (queue) (max_over_time(depth[10m]) - depth offset 1h)) > 1073741824"
        " unless on () absent > 0.5",
        "for": "5m",
        "labels": {"severity": "warning", "pillar": "queue"},
        "annotations": {
            "summary": "The queue is long.",
            "description": "{{ $labels.queue }} holds {{ $value }} more than 1h ago.",
            "action": "look",
            "runbook_url": "https://runbooks#queuelong",
            "dashboard_url": f"https://grafana/d/queue{rules.VIEW}",
        },
    }


def test_compressing_keeps_five_samples_in_a_window() -> None:
    assert (made(10)["for"], made(1000)["for"]) == ("30000ms", "300ms")
    assert "[60000ms]) - depth offset 360000ms)" in made(10)["expr"]
    assert "[5000ms]) - depth offset 5000ms)" in made(1000)["expr"]
    assert made(1000)["labels"] == made(1)["labels"]


def test_a_missing_or_unused_number_is_refused() -> None:
    for change in ({"also": "> $unknown"}, {"numbers": {"before": "1h", "most": 1, "idle": 2}}):
        how = QUEUE | {"prometheus": {**QUEUE["prometheus"], **change}}
        with pytest.raises(ValidationError, match="not given, or not used"):
            Alert.model_validate(how)


@pytest.mark.parametrize(("alert", "how"), EVERY, ids=lambda value: getattr(value, "name", ""))
def test_rules_contain_no_literal_duration(alert: Alert, how: PrometheusRule) -> None:
    written = re.findall(r"\b\d+(?:ms|[smhdwy])\b", f"{how.expr} {how.also} {how.description}")
    assert written == [], alert.name


def test_the_page_names_every_alert_and_links_its_runbook() -> None:
    lines = page.page(matrix()).splitlines()
    for alert in matrix().alerts:
        link = f"[{alert.name}](../runbooks.md#{alert.name.lower()})"
        (line,) = [text for text in lines if link in text and f"| {alert.severity} |" in text]
        assert line.endswith(f"| {alert.action} |")


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.8, "ratio", "80 %"),
        (0.999, "ratio", "99.9 %"),
        (90, "seconds", "1.5 min"),
        (86400, "seconds", "1 d"),
        (30, "seconds", "30 s"),
        (67108864, "bytes", "64 MiB"),
        (3, "number", "3"),
    ],
)
def test_thresholds_are_shown_with_their_unit(value: float, unit: str, said: str) -> None:
    assert page.with_unit(value, unit) == said


def test_the_rule_files_round_trip_through_yaml() -> None:
    for path, text in generate.files().items():
        assert yaml.safe_load(text)["groups"], path
