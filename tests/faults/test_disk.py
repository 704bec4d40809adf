"""The queue or its disk is full: senders wait or are refused, nothing is lost."""

import itertools
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from otelcol_runner.polling import poll_until
from otelcol_runner.sender import RefusedError
from otelcol_runner.telemetry import log
from pytest_otelcol.collector import Collector, Otelcol

from stack.clients.collector import SelfMetrics
from stack.services.collector import check_queue
from tests.faults.support.outcome import Outcome, Row, record
from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline

# As small relative to the queue as the shipped batches to 1 GiB: the consumers are busy with a
# backend that is down long before the queue is full.
SMALL = """\
exporters:
  otlp_http/logfire:
    retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}
    sending_queue: {batch: {min_size: 5000, max_size: 10000}}
  otlp_grpc/metrics_buffer: {sending_queue: {batch: {min_size: 5000, max_size: 10000}}}
"""
LIMIT = 200_000  # bytes
EACH = 20  # logs in a request
AT_LIMIT = Row(
    "a backend down for {seconds} and the queue at QUEUE_BYTES",
    "development",
    "senders wait, 0 lost, 0 duplicated",
    stated=30,
    short=2,
    none_lost=("logs",),
    none_twice=("logs",),
)
DISK_FULL = Row(
    "a backend down and the queue's disk full, then space again, then `kill -9` of the collector",
    "development",
    "senders are refused, 0 lost of what was taken, 0 duplicated, the files stay sound",
    stated=0,
    short=0,
    none_lost=("logs",),
    none_twice=("logs",),
)
# EFBIG instead of a full disk's ENOSPC: bbolt aborts the transaction at the same place.
LIMITED = (
    "import os, resource, sys; "
    "resource.setrlimit(resource.RLIMIT_FSIZE, "
    "(int(sys.argv[1]), resource.getrlimit(resource.RLIMIT_FSIZE)[1])); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


class Feeder(threading.Thread):
    """Sends numbered logs, one request after the other, and repeats refused ones."""

    def __init__(self, collector: Collector) -> None:
        super().__init__(name="feeder", daemon=True)
        self.collector = collector
        self.taken = 0
        self.refused: Counter[str] = Counter()
        self.ending = threading.Event()
        self.began = time.monotonic()

    @property
    def waits(self) -> float:
        """Seconds since the current request was first sent."""
        return time.monotonic() - self.began

    def run(self) -> None:
        """Send until stopped."""
        for number in itertools.count():
            logs = [log(f"l{n}", {"filler": "x" * 200}) for n in numbers(number)]
            self.began = time.monotonic()
            while not self._offer(logs):
                time.sleep(0.1)
            self.taken = number + 1
            if self.ending.is_set():
                return

    def finish(self) -> int:
        """Stop after the current request; returns how many logs were accepted."""
        self.ending.set()
        self.join(20)
        assert not self.is_alive(), f"a request is not taken: {self.refused}"
        return self.taken * EACH

    def _offer(self, logs: Sequence[LogRecord]) -> bool:
        try:
            self.collector.send(*logs)
        except RefusedError as error:
            self.refused[str(error.status)] += 1
        except OSError as error:
            self.refused[type(error).__name__] += 1
        else:
            return True
        return False


def numbers(request: int) -> range:
    return range(request * EACH, (request + 1) * EACH)


def run_small(otelcol: Otelcol, folder: Path, **env: str) -> AbstractContextManager[Pipeline]:
    small = folder / "small.yaml"
    small.write_text(SMALL)
    return run_pipeline(otelcol, (*DEVELOPMENT, small), folder, env)


def outcome(pipeline: Pipeline, sent: int, note: str) -> Outcome:
    """Wait for everything that was accepted, and count."""

    def arrivals() -> Counter[str]:
        return Counter(str(item.body) for item in pipeline.logfire.logs)

    wanted = {f"l{n}" for n in range(sent)}
    ended = time.monotonic()
    poll_until(lambda: wanted <= arrivals().keys(), "every log that was taken", timeout=30)
    came = arrivals()
    return Outcome(
        {"logs": sent},
        {"logs": len(wanted - came.keys())},
        {"logs": came.total() - len(came)},
        drain=round(time.monotonic() - ended, 1),
        note=note,
    )


def test_a_full_queue_blocks_senders_and_loses_nothing(otelcol: Otelcol, tmp_path: Path) -> None:
    with run_small(otelcol, tmp_path, QUEUE_BYTES=str(LIMIT)) as pipeline:
        pipeline.logfire.refuse(503)
        feeder = Feeder(pipeline.collector)
        feeder.start()

        def waiting() -> float:
            metrics = SelfMetrics.of(pipeline.collector.env)
            return metrics.total("exporter_queue_size", data_type="logs")

        poll_until(lambda: feeder.waits > 1, "a sender that waits", timeout=20)
        assert waiting() > LIMIT * 0.9
        held = feeder.taken
        time.sleep(AT_LIMIT.seconds)  # the length of the fault
        assert feeder.taken == held
        assert waiting() <= LIMIT
        pipeline.logfire.accept()
        poll_until(lambda: feeder.taken > held + 1, "the sender goes on")
        sent = feeder.finish()
        assert not feeder.refused.keys() - {"TimeoutError"}, feeder.refused
        note = f"{LIMIT} bytes held {held * EACH} logs, then senders waited"
        record(AT_LIMIT, outcome(pipeline, sent, note))


def test_a_full_disk_refuses_senders_and_loses_nothing_accepted(
    otelcol: Otelcol, tmp_path: Path
) -> None:
    with run_small(otelcol, tmp_path) as pipeline:
        collector = pipeline.collector
        pipeline.logfire.refuse(503)
        roomy = collector.argv
        collector.argv = [sys.executable, "-c", LIMITED, str(LIMIT), *roomy]
        collector.restart()
        feeder = Feeder(collector)
        feeder.start()
        poll_until(lambda: feeder.refused["503"] > 5, "refusals", timeout=20)
        assert "too large" in collector.output()
        assert collector.running
        held = feeder.taken

        give_space(collector, roomy)
        poll_until(lambda: feeder.taken > held + 5, "the sender goes on", timeout=20)
        sent = feeder.finish()
        collector.kill()
        assert check_queue(tmp_path / "queue") == ""
        collector.argv = roomy
        collector.start()
        pipeline.logfire.accept()
        note = f"{held * EACH} logs taken, {feeder.refused['503']} requests refused with 503"
        record(DISK_FULL, outcome(pipeline, sent, note))


def give_space(collector: Collector, roomy: list[str]) -> None:
    """Lift the file size limit: at once on Linux, with the next start elsewhere."""
    if sys.platform == "linux":
        resource.prlimit(
            collector.pid, resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)
        )
    else:
        collector.argv = roomy
        collector.restart()
