"""Damaged queue files: the start check sets them aside, and the collector starts."""

import runpy
import sys
from pathlib import Path

import pytest
from otelcol_runner.process import ProcessFailedError
from pytest_otelcol.collector import Otelcol

from stack.paths import COLLECTOR
from stack.pipeline.configs import started_on
from stack.services.collector import Collector, check_queue
from tests.faults.support.outcome import Row, record
from tests.faults.support.queue_files import (
    LOGS,
    METRICS,
    PAGE,
    TRACES,
    Backlog,
    Damage,
    arrived,
    at_random,
    check_that_new_data_flows,
    cut_off,
    damage,
    make_backlog,
    outcome,
    overwrite_header,
    overwrite_pages,
)
from tests.support.pipeline import DEVELOPMENT

SEEDS = range(8)
REFUSES, PANICS = "collector ended with code 1", "collector ended with code 2"


def row(what: str) -> Row:
    return Row(
        f"the queue file of spans damaged while the collector is down: {what}",
        "development",
        "starts again, says so, keeps the damaged file; what waits in other files is delivered",
        stated=0,
        short=0,
        none_lost=("logs", "samples"),
    )


DAMAGES: list[tuple[Damage, str, Row]] = [
    (overwrite_header, REFUSES, row("header overwritten")),
    (overwrite_pages, PANICS, row("pages overwritten")),
    (cut_off, PANICS, row("cut off in the middle")),
]


@pytest.fixture(scope="module")
def backlog(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Backlog:
    return make_backlog(otelcol, tmp_path_factory.mktemp("backlog"))


def test_intact_files_pass_silently_and_are_delivered(backlog: Backlog, tmp_path: Path) -> None:
    queue = backlog.copy(tmp_path)
    (queue / "exporter_just_made").touch()
    before = {path: path.read_bytes() for path in queue.iterdir()}
    assert check_queue(queue) == ""
    assert {path: path.read_bytes() for path in queue.iterdir()} == before
    with backlog.pipeline(tmp_path) as pipeline:
        arrived(pipeline, "spans", "logs", "samples")


@pytest.mark.parametrize(("how", "without", "promise"), DAMAGES)
def test_a_damaged_file_is_set_aside_and_the_others_are_delivered(
    backlog: Backlog, tmp_path: Path, how: Damage, without: str, promise: Row
) -> None:
    queue, unchecked = backlog.copy(tmp_path), backlog.copy(tmp_path / "unchecked")
    damaged = damage(queue / TRACES, how)
    damage(unchecked / TRACES, how)
    with pytest.raises(ProcessFailedError, match=without):
        backlog.pipeline(unchecked.parent).__enter__()

    said = check_queue(queue)

    (kept,) = queue.glob(f"{TRACES}.damaged-*Z")
    assert kept.read_bytes() == damaged
    assert said.count("\n") == 1
    assert f"{queue / TRACES} is damaged (" in said
    assert f"kept as {kept.name}" in said
    assert check_queue(queue) == ""
    with backlog.pipeline(tmp_path) as pipeline:
        arrived(pipeline, "logs", "samples")
        check_that_new_data_flows(pipeline)
        record(promise, outcome(pipeline, "the damaged file is kept"))
    assert kept.read_bytes() == damaged


def test_every_page_in_use_is_checked(backlog: Backlog) -> None:
    check = runpy.run_path(str(COLLECTOR / "guard" / "check_queue.py"))
    data = (backlog.folder / "queue" / TRACES).read_bytes()
    pages = [data[start : start + PAGE] for start in range(0, len(data), PAGE)]
    database = check["Database"](memoryview(data))
    database.check()
    heads = [
        n for n, page in enumerate(pages) if database.seen[n : n + 1] == b"\1" and names(page, n)
    ]
    assert len(heads) > 10
    for here, other in zip(heads, reversed(heads), strict=True):
        for there in (bytes(PAGE), pages[other] if other != here else pages[0]):
            changed = [*pages[:here], there, *pages[here + 1 :]]
            with pytest.raises(check["DamagedError"]):
                check["Database"](memoryview(b"".join(changed))).check()


def names(page: bytes, number: int) -> bool:
    """Tell whether a page is the first of its run: it starts with its number."""
    return int.from_bytes(page[:8], sys.byteorder) == number


def test_a_native_start_checks_the_queue_first(
    backlog: Backlog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with backlog.pipeline(tmp_path) as pipeline:
        pipeline.collector.stop()
        damage(tmp_path / "queue" / TRACES, overwrite_header)
        with Collector(started_on(*DEVELOPMENT), pipeline.collector.env):
            check_that_new_data_flows(pipeline)
    assert f"{TRACES} is damaged (" in capsys.readouterr().err


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_was_damaged_the_collector_starts_after_the_check(
    backlog: Backlog, tmp_path: Path, seed: int
) -> None:
    queue = backlog.copy(tmp_path)
    names = [TRACES, LOGS, METRICS]
    damaged = {name: damage(queue / name, at_random, seed) for name in names}
    said = check_queue(queue)
    for name in names:
        kept = [path.read_bytes() for path in queue.glob(f"{name}.damaged-*Z")]
        assert kept == ([damaged[name]] if f"{queue / name} is damaged" in said else [])
    with backlog.pipeline(tmp_path) as pipeline:
        check_that_new_data_flows(pipeline)


def test_a_file_in_use_is_not_checked(backlog: Backlog, tmp_path: Path) -> None:
    queue = backlog.copy(tmp_path)
    with backlog.pipeline(tmp_path):
        said = check_queue(queue)
    assert said.count("is in use by a running collector, so it was not checked\n") == 3
    assert not list(queue.glob("*.damaged-*"))


def test_leftovers_of_a_killed_compaction_are_removed(backlog: Backlog, tmp_path: Path) -> None:
    queue = backlog.copy(tmp_path)
    left = queue / "tempdb2871"
    left.write_bytes(b"half a database")
    assert check_queue(queue) == ""
    with backlog.pipeline(tmp_path) as pipeline:
        arrived(pipeline, "spans", "logs", "samples")
    assert not left.exists()


def test_an_unreadable_folder_is_reported_with_the_remedy(tmp_path: Path) -> None:
    assert check_queue(tmp_path / "not-there-yet") == ""
    (tmp_path / "file").touch()
    with pytest.raises(ProcessFailedError, match=r"file cannot be read .*: run this as"):
        check_queue(tmp_path / "file")
