from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol

from tests.guard.answers import DOCUMENT, document, rows
from tests.guard.backends import ANSWERS, SILENT

# One of each kind; `make answers` runs them all.
ASKED_HERE = {"302 to a page that answers 200", "400", "401", "429", "500", "503", SILENT.name}


def committed() -> list[str]:
    """The rows of the committed document's first table."""
    lines = DOCUMENT.read_text().splitlines()
    begin = lines.index("| --- | --- | --- | --- | --- | --- |") + 1
    return lines[begin : lines.index("", begin)]


def test_the_document_is_the_generators_and_has_every_answer() -> None:
    assert DOCUMENT.read_text() == document(committed())
    assert [line.split(" | ")[0] for line in committed()] == [f"| {a.name}" for a in ANSWERS]


def test_with_the_guard_only_poison_and_what_the_backend_took_can_be_lost() -> None:
    lost = {
        line.split(" | ")[0].removeprefix("| ")
        for line in committed()
        if {line.split(" | ")[2], line.split(" | ")[4]} != {"held"}
    }
    taken = {"200", "200, cut in the middle of its body"}
    rejected = {"200, but rejects records (partial success)"}
    assert lost == taken | rejected | {"400", "409", "413", "422"}


@pytest.mark.timeout(300)
def test_what_the_document_says_is_what_happens(otelcol: Otelcol, tmp_path: Path) -> None:
    answers = [answer for answer in ANSWERS if answer.name in ASKED_HERE]
    found = rows(otelcol, tmp_path, answers)
    assert len(found) == len(ASKED_HERE)
    assert found == [line for line in committed() if line.split(" | ")[0][2:] in ASKED_HERE]
