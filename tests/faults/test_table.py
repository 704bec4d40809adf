"""The table in the docs has the tests' rows and keeps their promises."""

from dataclasses import replace

import pytest

from tests.faults.support.outcome import ALL, Outcome, Recorded, Row, broken_of
from tests.faults.support.table import FAULTS, TableError, declared_rows, document, lines, words

EXAMPLE = Row("all down for {seconds}", "production", "0 lost", stated=60, short=2, none_twice=())
SENT = dict.fromkeys(ALL, 1200)
KEPT = Recorded.of(EXAMPLE, Outcome(SENT, dict.fromkeys(ALL, 0), {"spans": 3}, 0.5, 2.0), True)


def test_the_page_has_exactly_the_declared_rows_and_keeps_their_promises() -> None:
    rows = declared_rows()
    table = lines(FAULTS.path.read_text())
    assert [(line["fault"], line["environment"]) for line in table] == [row.key for row in rows]
    for row, line in zip(rows, table, strict=True):
        assert line["must hold"] == row.must_hold
        for promised, column in ((row.none_lost, "lost"), (row.none_twice, "duplicated")):
            assert not any(what in line[column] for what in promised), line
            assert line[column][0].isdigit() or not promised, line


def test_the_page_round_trips() -> None:
    (line,) = lines(document([EXAMPLE], [KEPT]))
    assert (line["fault"], line["lost"]) == ("all down for 60 s", "0")
    assert (line["sent"], line["duplicated"]) == (words(SENT), "3 spans")
    assert (line["gap"], line["drain"], line["seen"]) == ("0.5 s", "2.0 s", "-")


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "no outcome of"),
        ([KEPT, replace(KEPT, fault="another")], "no row for"),
        ([replace(KEPT, stated=False)], "short outages"),
    ],
)
def test_an_incomplete_run_writes_nothing(records: list[Recorded], words: str) -> None:
    with pytest.raises(TableError, match=words):
        document([EXAMPLE], records)


def test_a_broken_promise_writes_nothing() -> None:
    lossy = replace(KEPT.outcome, lost={**KEPT.outcome.lost, "logs": 2})
    with pytest.raises(AssertionError, match="2 logs lost"):
        document([EXAMPLE], [replace(KEPT, outcome=lossy)])
    assert broken_of(("tasks",), {}) == [("tasks", -1)]  # what was not counted is not zero
