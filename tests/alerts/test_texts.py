"""The texts of an alert: the same annotations in every rule file, written by hand or generated."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from alerts.generate import BY_HAND
from alerts.model import matrix

FOR_PEOPLE = {"summary", "description", "action", "runbook_url", "dashboard_url"}
FOR_ALERTMANAGER = {"summary", "description", "runbook_url"}  # severity none: nobody is to act


def alerts() -> Iterator[Any]:
    """Yield every alert of the rule files, named by file, alert and severity."""
    for path in sorted(BY_HAND.rglob("*.yml")):
        groups = yaml.safe_load(path.read_text())["groups"]
        for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
            severity = rule.get("labels", {}).get("severity", "no-severity")
            yield pytest.param(rule, id=f"{path.stem}-{rule['alert']}-{severity}")


@pytest.mark.parametrize("rule", [*alerts()])
def test_every_alert_has_a_severity_and_all_its_texts(rule: dict[str, Any]) -> None:
    texts, severity = rule["annotations"], rule["labels"]["severity"]
    assert severity in {"critical", "warning", "none"}
    assert texts.keys() == (FOR_ALERTMANAGER if severity == "none" else FOR_PEOPLE)
    assert all(texts.values())
    assert re.fullmatch(r"[A-Z][^{}]+\.", texts["summary"]), "one sentence without labels"
    assert texts["runbook_url"] == f"{matrix().links.runbooks}#{rule['alert'].lower()}"
    if severity == "none":
        assert texts["summary"].endswith("notifies no one.")
    else:
        assert texts["dashboard_url"].startswith(f"{matrix().links.grafana}/d/")


def test_alerts_by_hand_are_read_too() -> None:
    found = [param.id for param in alerts()]
    assert len(found) > 40
    assert found.count("outages-DatabaseOutageRecent-none") == 3
