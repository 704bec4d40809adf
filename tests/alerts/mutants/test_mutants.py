"""The mutation tests find a change that no test notices, and only then."""

import subprocess
from pathlib import Path

import pytest

from alerts.generate import RULES
from tests.alerts.mutants import changed, generated
from tests.alerts.mutants.__main__ import concerned, every, survivors
from tests.alerts.mutants.copies import Copies
from tests.alerts.mutants.equivalent import EQUIVALENT, reason
from tests.alerts.mutants.expressions import alternatives, times, tokens
from tests.alerts.mutants.mutant import Mutant
from tests.alerts.mutants.sources import alternatives as of_source

EVERY = [*every()]
QUEUE = RULES / "queue.yml"


def of_alert(*names: str) -> list[Mutant]:
    return [it for it in EVERY if it.name in names]


def test_every_change_of_an_alert_is_noticed_in_both_systems() -> None:
    some = of_alert("BackendTokenRefused", "ApplicationErrorRateHigh")
    assert len(some) > 30
    assert survivors(some) == []


def test_a_rule_that_is_not_changed_survives() -> None:
    unchanged = [
        Mutant(generated.named(rule), "", QUEUE, {place: rule})
        for place, rule in generated.shipped(QUEUE).items()
    ]
    assert survivors(unchanged) == unchanged


def test_a_change_survives_that_no_case_asks_about() -> None:
    (place, rule), *_ = generated.shipped(QUEUE).items()
    untested = Mutant("NoSuchAlert", "untested", QUEUE, {place: rule | {"alert": "NoSuchAlert"}})
    noticed = of_alert("AgentWorkersMissing")
    assert survivors([untested, *noticed]) == [untested]


def test_the_rules_of_every_alert_and_slo_are_changed() -> None:
    paths = {it.file for it in EVERY if it.line}
    assert paths == {*RULES.glob("*.yml"), RULES.parent / "outages.yml"}
    for path in RULES.glob("*.yml"):
        rules = {generated.named(rule) for rule in generated.shipped(path).values()}
        assert {it.name for it in EVERY if it.file == path and it.line} == rules


def test_a_change_names_its_line() -> None:
    lines = QUEUE.read_text().splitlines()
    places = [it for it in EVERY if it.file == QUEUE and it.line]
    for it in places:
        old = it.change.split("<")[-1].split(">")[0] if "<" in it.change else it.change.split()[-3]
        assert old in lines[it.line - 1], str(it)
    assert len({it.line for it in places}) > 5


def test_numbers_and_windows_are_found_but_no_digits_of_names() -> None:
    expr = 'slo:x:rate5m{a="9", code=~"40.|41.", job!="b-1"}[5m] * 300 >= 0.5 offset 1h30s'
    assert [token.text for token in tokens('rate(x{le="2"}[5m]) > 0')] == ["2", "5m", "0"]
    assert [token.text for token in tokens(expr)] == ["9", "5m", "300", "0.5"]
    assert alternatives("14.4") == ["1.44", "144"]
    assert (alternatives("0"), alternatives("5m")) == (["1"], ["30s", "3000s"])
    assert (times("15m", 2), times("5s", 0.1)) == ("1800s", "500ms")


def test_alternatives_of_the_sources() -> None:
    assert of_source(("prometheus", "threshold"), 0.5) == [0.45, 0.55]
    assert of_source(("prometheus", "threshold"), 0) == [-1, 1]
    assert of_source(("prometheus", "for"), "5m") == ["150s", "600s"]
    assert of_source(("logfire", "window"), "5m") == ["2m", "10m"]
    assert of_source(("prometheus", "compare"), ">") == [">=", "<"]
    assert of_source(("prometheus", "numbers", "guard"), "one|two") == ["two", "one"]
    assert of_source(("means",), "One of 2 fails.") == []


def test_a_copy_renames_what_reads_the_change_and_nothing_else() -> None:
    shipped = {
        (0, 0): {"record": "a:x", "expr": "x", "labels": {"slo": "a"}},
        (0, 1): {"alert": "A", "expr": 'a:x{slo="a"} > 1', "labels": {"severity": "critical"}},
        (0, 2): {"alert": "A", "expr": "y > 1", "labels": {"severity": "warning"}},
        (1, 0): {"record": "a:x", "expr": "z", "labels": {"slo": "b"}},
    }
    copies = Copies(shipped, {(0, 0): shipped[0, 0]}, 7)
    assert copies.renamed('a:x{slo="a"} + a:x{slo="b"}') == 'a:x_mutant7{slo="a"} + a:x{slo="b"}'
    assert [rule["expr"] for rule in copies.needed({"alertname": "A"})] == [
        "x",
        'a:x_mutant7{slo="a"} > 1',
        "y > 1",
    ]
    assert not copies.concerns({"expr": 'ALERTS{alertname="A", severity="warning"}'})
    with pytest.raises(ValueError, match="name the labels of a:x"):
        copies.concerns({"expr": "a:x"})


def test_what_makes_no_difference_is_little_and_exists() -> None:
    excused = [reason(it) for it in EVERY if reason(it)]
    assert {*excused} == {each.reason for each in EQUIVALENT}
    assert len(excused) < 20


@pytest.mark.parametrize(
    ("changed_file", "expected"),
    [
        ("prometheus/rules/generated/queue.yml", {"queue.yml"}),
        ("prometheus/tests/replication.test.yml", {"postgresql.yml"}),
        ("logfire/alerts/database_query_slow.sql", {"logfire"}),
        ("docs/runbooks.md", set()),
    ],
)
def test_only_what_a_branch_changed_is_changed(changed_file: str, expected: set[str]) -> None:
    some = concerned(EVERY, [changed_file])
    assert {it.file.name if it.file else "logfire" for it in some} == expected


def test_everything_is_changed_if_the_mutants_are_changed() -> None:
    assert concerned(EVERY, ["tests/alerts/mutants/copies.py"]) == EVERY


def test_the_files_of_a_branch_are_those_since_it_left_main(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        named = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "-c",
            "commit.gpgsign=false",
        ]
        subprocess.run(["git", "-C", str(tmp_path), *named, *arguments], check=True)

    def commit(name: str) -> None:
        (tmp_path / name).write_text("text")
        git("add", name)
        git("commit", "--quiet", "--message", name)

    git("init", "--quiet", "--initial-branch=trunk")
    commit("old")
    assert changed.files(tmp_path) is None
    git("branch", "--move", "main")
    git("switch", "--quiet", "--create=branch")
    commit("committed")
    (tmp_path / "new").write_text("text")
    git("switch", "--quiet", "main")
    commit("later on main")
    git("switch", "--quiet", "branch")
    assert changed.files(tmp_path) == ["committed", "new"]
