import json
from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol

from tests.guard.answers import MEASUREMENTS, rows
from tests.guard.backends import ANSWERS, SILENT

# One of each kind; `make answers` runs them all.
ASKED_HERE = {"302 to a page that answers 200", "400", "401", "429", "500", "503", SILENT.name}


def recorded() -> list[list[str]]:
    """The rows of the document's first table, in cells."""
    rows: list[list[str]] = json.loads(MEASUREMENTS.read_text())
    return rows


def test_the_document_has_every_answer() -> None:
    assert [cells[0] for cells in recorded()] == [answer.name for answer in ANSWERS]


def test_with_the_guard_only_poisoned_or_accepted_batches_can_be_lost() -> None:
    guarded = {answer: {cells[1], cells[3]} for answer, *cells in recorded()}
    lost = {answer for answer, outcomes in guarded.items() if outcomes != {"held"}}
    taken = {"200", "200, cut in the middle of its body"}
    rejected = {"200, but rejects records (partial success)"}
    assert lost == taken | rejected | {"400", "409", "413", "422"}


@pytest.mark.timeout(300)
def test_the_documented_outcomes_are_reproduced(otelcol: Otelcol, tmp_path: Path) -> None:
    answers = [answer for answer in ANSWERS if answer.name in ASKED_HERE]
    found = rows(otelcol, tmp_path, answers)
    assert len(found) == len(ASKED_HERE)
    assert found == [cells for cells in recorded() if cells[0] in ASKED_HERE]
