import re

import pytest

from alerts.model import matrix
from alerts.slos import slos
from stack.drills.command import rows
from stack.drills.drill import DRILLS
from stack.drills.faster import faster, faster_rules, rule_files
from stack.drills.lab import Fired, Notification
from stack.drills.observer import DrillFailedError
from stack.drills.perform import check_notifications
from stack.paths import PROMETHEUS, ROOT
from tests.stack.conftest import Agentical

POSTGRES_DOWN = next(drill for drill in DRILLS if drill.name == "postgres-down")
DOWN = Fired("PostgresDown", "critical", "postgresql")
PAGE = Notification("pager", "firing", frozenset({DOWN}))
OVER = PAGE._replace(status="resolved")
TICKET = Notification("tickets", "firing", frozenset({DOWN._replace(severity="warning")}))


def test_every_drill_expects_an_existing_alert() -> None:
    there = {Fired(one.name, one.severity, one.pillar) for one in matrix().alerts if one.prometheus}
    there |= {
        Fired(slo.name, burn.severity, "application")
        for slo in slos().slos
        for burn in slos().burns
    }
    asked = {one.name for one in matrix().alerts if one.logfire}

    assert {drill.alert for drill in DRILLS if drill.alert} <= there
    assert {drill.logfire for drill in DRILLS if drill.logfire} <= asked
    assert {name for drill in DRILLS for name in drill.also} <= {one.name for one in there}
    assert len({drill.name for drill in DRILLS}) == len(DRILLS) >= 8


def test_the_page_lists_every_drill() -> None:
    text = (ROOT / "docs" / "drills.md").read_text()
    listed = re.findall(r"^\| `(.+)` \| (.+) \| (.+) \|$", text, re.MULTILINE)

    assert listed == rows()


def test_drills_are_listed_and_an_unknown_name_is_refused(agentical: Agentical) -> None:
    listed, unknown = agentical("drill"), agentical("drill", "nothing")

    assert (listed.code, "postgres-down" in listed.out) == (0, True)
    sentence = "agentical: there is no drill 'nothing': run `agentical drill` for a list\n"
    assert (unknown.code, unknown.err) == (1, sentence)


def test_only_waits_and_intervals_are_compressed() -> None:
    shipped = (PROMETHEUS / "alertmanager.yml").read_text()
    quick = faster(shipped, 60).splitlines()
    changed = [
        (before.strip(), after.strip())
        for before, after in zip(shipped.splitlines(), quick, strict=True)
        if before != after
    ]

    assert ("group_wait: 30s", "group_wait: 500ms") in changed
    assert ("repeat_interval: 24h", "repeat_interval: 1440000ms") in changed
    assert len(changed) == len(re.findall(r"^ +(?:- )?\w+_(?:wait|interval):", shipped, re.M))
    assert "evaluation_interval: 250ms" in faster("  evaluation_interval: 15s", 60)


def test_windows_in_rules_are_compressed_down_to_eight_samples_and_strings_are_left() -> None:
    expr = 'rate(a:rate5m{within="10m"}[20m]) + b[2m] offset 1h > max(timestamp(c)) - 600'
    document = {"groups": [{"rules": [{"alert": "A", "expr": expr, "for": "2m"}]}]}
    (group,) = faster_rules(document, 60)["groups"]

    expr = (
        'rate(a:rate5m{within="10m"}[20000ms]) + b[4000ms] offset 60000ms > max(timestamp(c)) - 10'
    )
    assert group["rules"] == [{"alert": "A", "expr": expr, "for": "2000ms"}]


def test_compressed_rules_include_every_shipped_file() -> None:
    assert rule_files(40).keys() == {path.name for path in (PROMETHEUS / "rules").rglob("*.yml")}


@pytest.mark.parametrize(
    ("notifications", "sentence"),
    [
        ([OVER], "PostgresDown: 0 notifications instead of one"),
        ([PAGE, OVER, PAGE], "PostgresDown: 2 notifications instead of one"),
        (
            [PAGE, PAGE._replace(alerts=frozenset({Fired("RedisDown", "critical", "redis")}))],
            "notifications other than PostgresDown: pager: RedisDown",
        ),
        (
            [PAGE, TICKET._replace(receiver="pager")],
            "notifications other than PostgresDown: pager: PostgresDown",
        ),
    ],
)
def test_more_or_less_than_one_notification_fails_the_drill(
    notifications: list[Notification], sentence: str
) -> None:
    with pytest.raises(DrillFailedError, match=f"^{re.escape(sentence)}$"):
        check_notifications(POSTGRES_DOWN, notifications)


def test_a_page_a_ticket_and_a_resolution_pass() -> None:
    check_notifications(POSTGRES_DOWN, [PAGE, TICKET, OVER])
