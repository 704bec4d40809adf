"""Queue files with a backlog, made by a real collector, and ways to damage them."""

import mmap
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import gauge, log, span
from pytest_otelcol.collector import Otelcol

from tests.faults.support.outcome import Outcome
from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline

TRACES, LOGS = "exporter_otlp_http_logfire_traces", "exporter_otlp_http_logfire_logs"
METRICS = "exporter_otlp_grpc_metrics_buffer_metrics"
REQUESTS, EACH = 30, 20
SENT = {"spans": REQUESTS * EACH, "logs": REQUESTS * EACH, "samples": REQUESTS}
PAGE = mmap.PAGESIZE  # bbolt uses the system's
SERIES = "test_number"
Damage = Callable[[bytearray, random.Random], None]


@dataclass
class Backlog:
    """Queue files with everything in `SENT` waiting."""

    otelcol: Otelcol
    folder: Path

    def copy(self, into: Path) -> Path:
        """Return a copy of the queue's folder."""
        return Path(shutil.copytree(self.folder / "queue", into / "queue"))

    @contextmanager
    def pipeline(self, into: Path) -> Iterator[Pipeline]:
        """Run a collector on the queue files in this folder, with backends that answer."""
        with run_pipeline(self.otelcol, DEVELOPMENT, into, {}) as running:
            yield running


def make_backlog(otelcol: Otelcol, folder: Path) -> Backlog:
    """Let a collector accept telemetry while both backends refuse it, and kill it."""
    with run_pipeline(otelcol, DEVELOPMENT, folder, {}) as pipeline:
        pipeline.logfire.refuse(503)
        pipeline.prometheus.refuse(503)
        for number in range(REQUESTS):
            few = range(number * EACH, (number + 1) * EACH)
            pipeline.collector.send(*(span(f"s{n}") for n in few), *(log(f"l{n}") for n in few))
            pipeline.collector.send(gauge("test.number", number, unit="{number}"))
        pipeline.collector.kill()
    return Backlog(otelcol, folder)


def outcome(pipeline: Pipeline, note: str = "") -> Outcome:
    """Count how much of the backlog has arrived at the backends."""
    samples = [s.value for one in pipeline.prometheus.series(SERIES) for s in one.samples]
    came = {
        "spans": Counter(item.name for item in pipeline.logfire.spans),
        "logs": Counter(str(item.body) for item in pipeline.logfire.logs),
        "samples": Counter(f"m{value:g}" for value in samples),
    }
    twice = {signal: found.total() - len(found) for signal, found in came.items()}
    return Outcome(SENT, {signal: lost(signal, came[signal]) for signal in SENT}, twice, note=note)


def lost(signal: str, came: Counter[str]) -> int:
    """Return how many numbers of a signal did not arrive."""
    letter = {"spans": "s", "logs": "l", "samples": "m"}[signal]
    return sum(f"{letter}{number}" not in came for number in range(SENT[signal]))


def check_that_new_data_flows(pipeline: Pipeline) -> None:
    """Send one of each and wait for it at its backend."""
    pipeline.collector.send(span("new"), log("new"), gauge("test.new", 1, unit="{number}"))
    pipeline.logfire.wait_for_span("new")
    pipeline.logfire.wait_for_log("new")
    pipeline.prometheus.wait_for_series("test_new")


def arrived(pipeline: Pipeline, *signals: str) -> None:
    """Wait until nothing of these signals is missing."""
    poll_until(
        lambda: not any(outcome(pipeline).lost[signal] for signal in signals),
        f"the backlog's {' and '.join(signals)}",
        seen=lambda: outcome(pipeline),
    )


def damage(path: Path, how: Damage, seed: int = 0) -> bytes:
    """Damage a file; returns its new content."""
    data = bytearray(path.read_bytes())
    how(data, random.Random(seed))
    path.write_bytes(data)
    return bytes(data)


def overwrite_header(data: bytearray, rnd: random.Random) -> None:
    """Both headers, as a stray write to the file's start does."""
    data[: 2 * PAGE] = rnd.randbytes(2 * PAGE)


def overwrite_pages(data: bytearray, rnd: random.Random) -> None:
    """Everything after the headers."""
    data[2 * PAGE :] = rnd.randbytes(len(data) - 2 * PAGE)


def cut_off(data: bytearray, rnd: random.Random) -> None:
    """The second half is missing, as after a copy that was not finished."""
    del data[len(data) // 2 :]


def at_random(data: bytearray, rnd: random.Random) -> None:
    """Three kinds of damage at random places."""
    for _ in range(3):
        pages: Sequence[int] = range(0, len(data) - PAGE + 1, PAGE)
        if not pages:
            return
        here, there = rnd.choice(pages), rnd.choice(pages)
        kinds: list[tuple[slice, bytes]] = [
            (slice(here, here + PAGE), rnd.randbytes(PAGE)),
            (slice(here, here + PAGE), bytes(PAGE)),
            (slice(here, here + PAGE), bytes(data[there : there + PAGE])),
            (slice(here, here + 16), rnd.randbytes(16)),
            (slice(here + 8, here + 10), rnd.randbytes(2)),
            (slice(here + 16, here + 64), rnd.randbytes(48)),
            (slice(rnd.randrange(len(data)), None), b""),
        ]
        place, put = rnd.choice(kinds)
        data[place] = put
