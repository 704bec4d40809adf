"""The runbooks: one heading for each alert, no others, and the same questions under each."""

import re
from string import Template

from alerts.model import matrix
from stack.paths import PROMETHEUS, ROOT
from tests.alerts.runbooks import HEADINGS, PAGE, TEXT

QUESTIONS = ["Impact", "Check first", "Usual causes", "Fix", "Safe to ignore"]


def test_every_alert_has_one_heading_and_every_heading_an_alert() -> None:
    files = (PROMETHEUS / "rules").rglob("*.yml")
    rules = "".join(path.read_text() for path in files)
    named = {alert.name for alert in matrix().alerts} | set(re.findall(r"- alert: (\w+)", rules))
    headings = re.findall(r"^## (\w+)$", TEXT, re.MULTILINE)
    assert not named - {*headings}, "add a heading for each of these to docs/runbooks.md"
    assert sorted(headings) == sorted(named), "docs/runbooks.md has a heading without an alert"


def test_each_runbook_answers_the_same_questions_briefly() -> None:
    for name, body in HEADINGS.items():
        assert re.findall(r"^- \*\*([\w ]+)\*\*: ", body, re.MULTILINE) == QUESTIONS, name
        outside = re.sub(r"```.*?```", "", body, flags=re.DOTALL)
        lines = [line for line in outside.splitlines() if line.strip()]
        assert 5 <= len(lines) <= 12, f"{name}: {len(lines)} lines"
        first = body.split("**Check first**")[1]
        assert "```promql" in body or ".sql)" in body or "`" in first, name


def test_every_link_leads_to_a_file_or_to_a_heading() -> None:
    anchors = {name.lower() for name in HEADINGS}
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        if link.startswith("#"):
            assert link[1:] in anchors
        elif not link.startswith("http"):
            assert (PAGE.parent / link).exists(), link


def test_every_linked_query_runs() -> None:
    linked = {PAGE.parent / link for link in re.findall(r"\]\(([^)]+[.]sql)\)", TEXT)}
    assert len(linked) > 4
    assert [path for path in linked if Template(path.read_text()).get_identifiers()] == []


def test_the_link_of_an_alert_leads_to_its_heading() -> None:
    assert matrix().links.runbooks.endswith(f"/{PAGE.relative_to(ROOT)}")
