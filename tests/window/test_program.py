"""The program beside the collector: damaged files, age, size, and what it refuses."""

import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import span

from stack.services.window import PROGRAM, Window
from tests.support.memory import memory_folder
from tests.support.pipeline import PRODUCTION, Pipeline, StartPipeline

KEEP_ALL = {"TRACE_SAMPLE_PERCENT": "100"}
WAIT = {"TRACE_DECISION_WAIT": "1s"}

pytestmark = pytest.mark.timeout(120)


def folder_of(pipeline: Pipeline) -> Path:
    return Path(pipeline.collector.env["SAMPLING_WINDOW_DIR"])


def files(pipeline: Pipeline) -> list[Path]:
    return sorted(folder_of(pipeline).glob("*.spans"))


def names(pipeline: Pipeline) -> list[str]:
    return sorted(item.name for item in pipeline.logfire.spans)


def test_damaged_files_are_set_aside_and_told(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(*PRODUCTION, **KEEP_ALL, TRACE_DECISION_WAIT="60s")
    whole: dict[str, bytes] = {}
    for kind in ("whole", "torn", "length", "content"):
        pipeline.collector.send(span(f"{kind} 1"))
        pipeline.collector.send(span(f"{kind} 2"))
        pipeline.collector.kill()
        (written,) = files(pipeline)
        whole[kind] = written.read_bytes()
        written.unlink()
        pipeline.collector.start()
    pipeline.collector.kill()
    second = {kind: data.index(f"{kind} 2".encode()) for kind, data in whole.items()}
    begin = {kind: data.rindex(b"\0\0\0", 0, second[kind]) for kind, data in whole.items()}
    folder = folder_of(pipeline)
    damages: dict[str, Callable[[bytes, int], bytes]] = {
        "whole": lambda data, _: data,
        "torn": lambda data, at: data[: at + 30],
        "length": lambda data, at: data[:at] + b"\xff" * 4 + data[at + 4 :],
        "content": lambda data, at: data[: at + 4] + b"\xff" * (len(data) - at - 4),
    }
    for kind, damage in damages.items():
        (folder / f"{kind}.spans").write_bytes(damage(whole[kind], begin[kind]))
    (folder / "empty.spans").write_bytes(b"")
    pipeline.collector.env["TRACE_DECISION_WAIT"] = "1s"
    pipeline.collector.start()
    with Window(pipeline.collector.env) as window:
        wanted = ["content 1", "length 1", "torn 1", "whole 1", "whole 2"]
        poll_until(lambda: names(pipeline) == wanted, f"{wanted}", timeout=20)
        told = window.output()
    assert "torn.spans ends with 30 bytes of an incomplete record" in told
    assert "length.spans is damaged (the record at byte" in told
    assert "content.spans is damaged (the record at byte" in told
    kept = {path.name.partition(".spans")[0] for path in folder.glob("*.damaged-*")}
    assert kept == {"length", "content"}
    assert not {path.stem for path in files(pipeline)} & {"whole", "torn", "empty"}


def test_spans_older_than_the_wait_are_removed(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(*PRODUCTION, **KEEP_ALL, **WAIT)
    with Window(pipeline.collector.env):
        pipeline.collector.send(span("an old span"))
        (written,) = poll_until(lambda: files(pipeline), "the file of the window")
        assert stat.S_IMODE(folder_of(pipeline).stat().st_mode) == 0o700
        poll_until(lambda: b"an old span" not in written.read_bytes(), "its removal", timeout=20)
        pipeline.collector.send(span("a new span"))
        assert b"a new span" in written.read_bytes()
        pipeline.collector.kill()
        pipeline.collector.start()
        wanted = ["a new span", "an old span"]
        poll_until(lambda: names(pipeline) == wanted, f"each once: {wanted}", timeout=20)


def test_younger_spans_stay_when_a_file_becomes_full(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(*PRODUCTION, **KEEP_ALL, TRACE_DECISION_WAIT="60s")
    with Window({**pipeline.collector.env, **WAIT}):
        pipeline.collector.send(span("bulky", {"text": "x" * 12_000_000}))
        time.sleep(2)  # the program sees its size
        pipeline.collector.send(span("bulky", {"text": "x" * 6_000_000}))
        sent, begin = dict[bytes, float](), time.monotonic()
        while (now := time.monotonic()) < begin + 9:
            sent[f"span {len(sent)}.".encode()] = now
            pipeline.collector.send(span(list(sent)[-1].decode()))
            held = b"".join(path.read_bytes() for path in files(pipeline))
            young = [name for name, at in sent.items() if time.monotonic() - at < 5]
            assert [name for name in young if name not in held] == []
            time.sleep(0.1)


def test_what_is_not_a_file_or_vanishes_does_not_end_the_program(
    start_pipeline: StartPipeline,
) -> None:
    pipeline = start_pipeline(*PRODUCTION, **KEEP_ALL, **WAIT)
    folder = folder_of(pipeline)
    (folder / "folder.spans").mkdir()
    (folder / "vanished.spans").symlink_to("nowhere")
    (folder / "vanished.socket").symlink_to("nowhere")
    with Window(pipeline.collector.env) as window:
        pipeline.collector.send(span("a span"))
        pipeline.collector.kill()
        (folder / "vanished.socket").unlink()  # another start of the collector removes them
        pipeline.collector.start()
        poll_until(lambda: names(pipeline) == ["a span"], "the span", timeout=20)
        poll_until(lambda: pipeline.prometheus.series("sampling_window_size_bytes", {}), "report")
        assert window.running, window.output()


def test_a_full_window_forgets_the_oldest_and_says_so(start_pipeline: StartPipeline) -> None:
    few = {"SAMPLING_WINDOW_FILES": "1", "SPAN_METRICS_INTERVAL": "5s"}
    pipeline = start_pipeline(*PRODUCTION, **KEEP_ALL, **few, TRACE_DECISION_WAIT="20s")
    with Window(pipeline.collector.env):
        for number in range(12):
            pipeline.collector.send(span("bulky", {"number": number, "text": "x" * 8_000_000}))
            time.sleep(0.1)  # files are removed by a goroutine
        assert len(files(pipeline)) <= 3

        def gap() -> bool:
            found = pipeline.prometheus.series("sampling_window_gap_seconds", {})
            values = [sample.value for series in found for sample in series.samples]
            return any(10 < value <= 20 for value in values)

        poll_until(gap, "a gap in sampling_window_gap_seconds", timeout=30)
    assert pipeline.collector.running


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SAMPLING_WINDOW_FILES": "some"}, "SAMPLING_WINDOW_FILES is 'some': set a number"),
        ({"SAMPLING_WINDOW_FILES": "9999999"}, "make it larger, or set SAMPLING_WINDOW_FILES"),
        ({"TRACE_DECISION_WAIT": "30"}, "TRACE_DECISION_WAIT is '30': set a duration"),
    ],
)
def test_bad_variables_are_refused(variables: Mapping[str, str], sentence: str) -> None:
    with memory_folder() as folder:
        code, said = run_check({"SAMPLING_WINDOW_DIR": str(folder), **variables})
    assert (code, sentence in said) == (1, True), said


def test_a_folder_on_disk_is_refused(tmp_path: Path) -> None:
    on_disk = Path(__file__).parent / ".window"
    try:
        code, said = run_check({"SAMPLING_WINDOW_DIR": str(on_disk)})
    finally:
        on_disk.rmdir()
    assert code == 1
    assert "set SAMPLING_WINDOW_DIR to a folder on tmpfs, or SAMPLING_WINDOW=none" in said
    assert run_check({"SAMPLING_WINDOW": "none", "SAMPLING_WINDOW_DIR": str(tmp_path)})[0] == 0


def run_check(variables: Mapping[str, str]) -> tuple[int, str]:
    """Return the exit code and the messages of `window.py check`."""
    command = [sys.executable, str(PROGRAM), "check"]
    done = subprocess.run(
        command, env=dict(variables), capture_output=True, text=True, check=False, timeout=20
    )
    return done.returncode, done.stdout + done.stderr
