"""Runs a collector between a feeder and a sink and takes its CPU time, throughput and memory."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import psutil
import yaml
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from pytest_otelcol.collector import Collector, Otelcol

from bench.collector.configs import Config
from bench.collector.feeding import Feed
from bench.collector.sink import Sink
from bench.machine import cpu_seconds
from stack.clients.collector import SelfMetrics
from stack.pipeline.ports import LISTEN
from stack.services.collector import FEATURE_GATES
from stack.services.window import Window, remove, variables_of_window
from stack.tools import toolchain

WINDOW_FILES = "32"  # as by default: what 30 s at the rate need, and more
QUIET = 2.5  # seconds without a span; the sampler decides once a second


@dataclass(frozen=True)
class Figures:
    """What a collector used for `spans` in `seconds`; `delivered` reached the backend.

    Raises:
        ValueError: there were no spans, so there is nothing to divide by.
    """

    spans: int
    delivered: int
    seconds: float
    cpu_seconds: float
    rss_bytes: float
    window_bytes: float = 0.0  # files in memory

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError(f"no span came in {self.seconds:.0f} s: is the machine too busy?")

    @property
    def us_per_span(self) -> float:
        """CPU time in microseconds a span."""
        return self.cpu_seconds / self.spans * 1e6

    def as_row(self) -> dict[str, float]:
        """Return the stored figures of a run."""
        return {
            "us_per_span": round(self.us_per_span, 2),
            "spans_per_second": round(self.spans / self.seconds),
            "rss_mb": round(self.rss_bytes / 1e6),
            "memory_mb": round((self.rss_bytes + self.window_bytes) / 1e6),
            "spans": self.spans,
            "delivered": self.delivered,
        }

    def __str__(self) -> str:
        row = self.as_row()
        return "{us_per_span} us per span, {spans_per_second}/s, {rss_mb} MB".format(**row)


def size(path: Path) -> int:
    """Return the bytes of a file; zero, if it has been removed."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def folder_of(window: Window) -> Path:
    """Return the folder of a sampling window."""
    return Path(window.env["SAMPLING_WINDOW_DIR"])


class Bed:
    """A collector under measurement, its sampling window, and the sink at all its exporters."""

    def __init__(self, collector: Collector, sink: Sink, window: Window | None = None) -> None:
        self.collector, self.sink, self.window = collector, sink, window
        self.process = psutil.Process(collector.pid)

    def cpu(self) -> float:
        """Return the CPU seconds used so far, user and system, with the window's program."""
        program = cpu_seconds(self.window.pid) if self.window else 0.0
        return cpu_seconds(self.collector.pid) + program

    def rss(self) -> int:
        """Return the resident memory in bytes."""
        return int(self.process.memory_info().rss)

    def files(self) -> int:
        """Return the bytes of the sampling window, which are memory too."""
        return sum(map(size, folder_of(self.window).iterdir())) if self.window else 0

    def read(self) -> SelfMetrics:
        """Return the collector's own metrics; it may be slow to respond under load."""
        return poll_until(
            lambda: SelfMetrics.of(self.collector.env), "the collector's own metrics", timeout=30
        )

    def accepted(self) -> int:
        """Return how many spans the receiver accepted."""
        return int(self.read().total("receiver_accepted_spans"))

    def delivered(self) -> int:
        """Return how many spans arrived at the sink."""
        return int(self.sink.counts().get("spans", 0))

    def drained(self, fed: float) -> bool:
        """Return whether the sink was idle for a while; `fed` is the end of feeding, epoch time."""
        last = self.sink.counts().get("last", 0.0)
        return last > 0 and time.time() - max(last, fed) > QUIET

    def feeder(self, spans: int, **options: float) -> Feed:
        """Return a feeder of this collector, not yet started; options as `Feeder` takes them."""
        return Feed(self.collector.endpoint, spans=spans, **options)


@dataclass(frozen=True)
class Mark:
    """The counters of a bed at a moment."""

    at: float
    cpu: float
    accepted: int
    delivered: int

    @classmethod
    def take(cls, under: Bed) -> Self:
        """Read them now."""
        return cls(time.monotonic(), under.cpu(), under.accepted(), under.delivered())

    def since(self, start: Self, rss_bytes: float, window_bytes: float = 0.0) -> Figures:
        """Return what was used since `start`."""
        return Figures(
            self.accepted - start.accepted,
            self.delivered - start.delivered,
            self.at - start.at,
            self.cpu - start.cpu,
            rss_bytes,
            window_bytes,
        )


@contextmanager
def bed(config: Config, env: Mapping[str, str] | None = None) -> Iterator[Bed]:
    """Run a collector on a configuration, with a sink of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        file = folder / "collector.yaml"
        file.write_text(yaml.safe_dump(config, sort_keys=False, width=1000))
        sink = stack.enter_context(Sink(free_port()))
        variables = {
            "COLLECTOR_QUEUE_DIR": str(folder / "queue"),
            "LOGFIRE_ENDPOINT": sink.url,
            "LOGFIRE_TOKEN": "write-token-of-the-bench",
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": f"{sink.url}/api/v1/write",
            "TRACE_DECISION_WAIT": "1s",
            **(env or {}),
        }
        windowed = "file/window" in config["exporters"]
        if windowed:
            variables |= variables_of_window({"SAMPLING_WINDOW_FILES": WINDOW_FILES})
            stack.callback(remove, variables, {})
        otelcol = Otelcol(toolchain.collector(), [FEATURE_GATES])
        running = otelcol.run([file], variables, listen=LISTEN, ports=["SELF_METRICS_PORT"])
        collector = stack.enter_context(running)
        window = stack.enter_context(Window(collector.env)) if windowed else None
        yield Bed(collector, sink, window)


def saturated(config: Config, spans: int) -> Figures:
    """Feed it at full speed; CPU time is measured until the last span is delivered."""
    with bed(config) as under:
        before = under.cpu()
        with under.feeder(spans) as feed:
            sent, fed = feed.sent(), time.time()
        poll_until(lambda: under.drained(fed), "everything delivered", timeout=60, interval=0.25)
        spent = under.cpu() - before
        return Figures(int(sent["spans"]), under.delivered(), sent["seconds"], spent, under.rss())
