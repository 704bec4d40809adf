"""The table in docs/generated/scale.md has the tests' rows and keeps their promises."""

from tests.faults.support.table import lines
from tests.kubernetes.distribution.scale import ROWS
from tests.kubernetes.scale_page import SCALE


def test_the_page_has_exactly_the_declared_rows_and_keeps_their_promises() -> None:
    text = SCALE.path.read_text()
    table = lines(text, SCALE)
    assert text.startswith(SCALE.head)
    assert [line["change"] for line in table] == [row.title for row in ROWS]
    for row, line in zip(ROWS, table, strict=True):
        assert line["must hold"] == row.must_hold
        for promised, column in ((row.none_lost, "lost"), (row.none_twice, "duplicated")):
            assert not any(f" {what}" in line[column] for what in promised), line
