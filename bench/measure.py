"""Runs a collector between a feeder and a sink and takes its CPU time, throughput and memory."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import yaml
from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.polling import poll_until
from pytest_otelcol.ports import free_port
from pytest_otelcol.process import Process

from bench.configs import Config
from bench.sink import Sink
from stack import toolchain
from stack.paths import ROOT
from stack.selfmetrics import SelfMetrics
from stack.services import FEATURE_GATES

LISTEN = ("OTLP_GRPC_LISTEN", "HEALTH_LISTEN", "METRICS_BUFFER_LISTEN")
PATIENCE = 300.0  # seconds for a feeder to get rid of its spans
QUIET = 2.0  # seconds without a request after which nothing is on its way any more


@dataclass(frozen=True)
class Figures:
    """What a collector spent on `spans`, in `seconds`."""

    spans: int
    delivered: int
    seconds: float
    cpu_seconds: float
    rss_bytes: int

    @property
    def us_per_span(self) -> float:
        """CPU time in microseconds a span."""
        return self.cpu_seconds / self.spans * 1e6

    @property
    def per_second(self) -> float:
        """Spans a second."""
        return self.spans / self.seconds


class Bed:
    """A collector under measurement, and the sink at all its exporters."""

    def __init__(self, collector: Collector, sink: Sink) -> None:
        self.collector, self.sink = collector, sink
        self.process = psutil.Process(collector.pid)
        port = collector.env["SELF_METRICS_PORT"]
        self.self_metrics = f"http://127.0.0.1:{port}/metrics"

    def cpu(self) -> float:
        """Return the CPU seconds spent so far, in user and system."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss(self) -> int:
        """Return the resident memory in bytes."""
        return int(self.process.memory_info().rss)

    def accepted(self) -> int:
        """Return how many spans the receiver took."""
        return int(SelfMetrics.read(self.self_metrics).total("receiver_accepted_spans"))

    def delivered(self) -> int:
        """Return how many spans arrived at the sink."""
        return int(self.sink.counts().get("spans", 0))

    def drained(self) -> object:
        """Tell whether the sink has been quiet for a while."""
        return time.time() - self.sink.counts().get("last", 0.0) > QUIET

    def feeder(self, spans: int, *, rate: float = 0.0, routes: int = 10, seed: int = 1) -> "Feed":
        """Return a feeder of this collector, not yet started."""
        return Feed(self.collector.endpoint, spans=spans, rate=rate, routes=routes, seed=seed)


class Feed(Process):
    """A feeder as a process."""

    def __init__(self, endpoint: str, **options: float) -> None:
        flags = [f"--{name}={value:g}" for name, value in options.items()]
        super().__init__("feeder", [sys.executable, "-m", "bench.feeder", endpoint, *flags],
                         cwd=ROOT)  # fmt: skip

    def sent(self) -> dict[str, float]:
        """Wait for its end and return what it sent."""
        poll_until(lambda: not self.running, "the feeder done", timeout=PATIENCE)
        if self.exit_code:
            raise RuntimeError(f"the feeder failed: {self.tail()}")
        found: dict[str, float] = json.loads(self.output())
        return found


@contextmanager
def bed(config: Config, env: Mapping[str, str] | None = None) -> Iterator[Bed]:
    """Run a collector on a configuration, in front of a sink of its own."""
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
        otelcol = Otelcol(toolchain.collector(), [FEATURE_GATES])
        running = otelcol.run([file], variables, listen=LISTEN, ports=["SELF_METRICS_PORT"])
        yield Bed(stack.enter_context(running), sink)


def saturated(config: Config, spans: int, env: Mapping[str, str] | None = None) -> Figures:
    """Give it all it takes; the CPU time counts until the last span is delivered."""
    with bed(config, env) as under:
        before = under.cpu()
        with under.feeder(spans) as feed:
            sent = feed.sent()
        poll_until(under.drained, "everything delivered", timeout=60, interval=0.25)
        spent = under.cpu() - before
        return Figures(int(sent["spans"]), under.delivered(), sent["seconds"], spent, under.rss())


def steady(
    config: Config, rate: float, *, warm: float, seconds: float, env: Mapping[str, str] | None = None
) -> Figures:
    """Feed at a rate; measured between `warm` seconds and `warm` + `seconds`."""
    with bed(config, env) as under, under.feeder(int(rate * (warm + seconds + 2)), rate=rate):
        time.sleep(warm)
        return window(under, seconds)


def window(under: Bed, seconds: float) -> Figures:
    """Measure for a while what is being fed."""
    spans, arrived, cpu, begun = under.accepted(), under.delivered(), under.cpu(), time.monotonic()
    time.sleep(seconds)
    spent, took = under.cpu() - cpu, time.monotonic() - begun
    taken, came = under.accepted() - spans, under.delivered() - arrived
    return Figures(taken, came, took, spent, under.rss())
