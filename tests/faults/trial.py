"""One collector under a numbered load, with both its backends: where a fault is tried out."""

import re
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.polling import poll_until
from pytest_otelcol.process import Process
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from stack.paths import ROOT
from stack.selfmetrics import SelfMetrics
from stack.services import Prometheus
from tests.app.house import FAST, inherited
from tests.collector.pipeline import Pipeline, run_pipeline
from tests.faults.arrivals import Arrivals, samples_in
from tests.faults.outcome import Outcome
from tests.faults.producer import PRODUCING, Made
from tests.ledger.book import ITEMS, assert_balanced

EXPORTERS = ("otlp_http/logfire", "otlp_grpc/metrics_buffer")
RATE = 100.0  # requests a second: each is a span and a log; a sample every half second
AFTER = 1.0  # seconds that the load goes on after the fault
QUIET = 2.0  # seconds without anything new, after which what is missing counts as lost


class Load(Process):
    """The producer as a process; it sends to an OTLP endpoint (`http://127.0.0.1:4318`)."""

    def __init__(self, endpoint: str, rate: float = RATE) -> None:
        self.instance = uuid.uuid4().hex
        variables = {
            **inherited(),
            **FAST,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={self.instance}",
        }
        super().__init__(
            "load",
            [sys.executable, "-m", "tests.faults.producer", str(rate)],
            env=variables,
            clean_env=True,
            ready=lambda: PRODUCING in self.output(),
            stop_timeout=60.0,  # what it holds, it hands over first
            cwd=ROOT,
        )

    def finish(self) -> Made:
        """End it and return what it has made. Raises `AssertionError` when it did not say."""
        self.stop()
        found = re.findall(r'\{"spans": (\d+), "logs": (\d+), "samples": (\d+)\}', self.output())
        assert found, f"the producer did not end well:\n{self.tail()}"
        return Made(*map(int, found[-1]))


@dataclass
class Trial:
    """A running load, the collector it reaches, and both backends.

    Use: break something, `go_on(seconds)`, mend it, `over()`, `finish()`.
    """

    pipeline: Pipeline
    prometheus: Prometheus | RemoteWriteSink
    load: Load
    arrivals: Arrivals
    ended: float = field(default_factory=time.time)
    beside: Counter[str] = field(default_factory=Counter)  # what a row sent beside the load
    poisoned: Counter[str] = field(default_factory=Counter)  # of that, what no backend takes
    unreported: float = 0  # what a `kill -9` hid from the ledger, at most

    @property
    def collector(self) -> Collector:
        """The collector; `stop`, `kill`, `start` and `restart` keep its queue."""
        return self.pipeline.collector

    @property
    def logfire(self) -> OtlpSink:
        """The backend of spans and logs."""
        return self.pipeline.logfire

    def go_on(self, seconds: float) -> None:
        """Let the load run: the length of a fault, not a wait for a result."""
        time.sleep(seconds)

    def over(self) -> None:
        """Say that the fault has just ended; the load goes on for a little."""
        self.ended = time.time()
        self.go_on(AFTER)

    def finish(self, *, quiet: float = QUIET, timeout: float = 60.0) -> Outcome:
        """End the load, wait until all is there or nothing more comes, and count.

        Args:
            quiet: seconds without anything new after which what is missing counts as lost, once
                nothing waits in the collector's queues.
            timeout: seconds after which things that still arrive are an error.

        Raises:
            NotSeenError: things still arrived then.
        """
        sent = asdict(self.load.finish())
        poll_until(lambda: self._settled(sent, quiet), "the end of the arrivals", timeout=timeout)
        self.arrivals.stop()
        signals = self.arrivals.signals
        lost = {name: len(seen.missing(sent[name])) for name, seen in signals.items()}
        if isinstance(self.prometheus, Prometheus):
            taken = {name: sent[name] + self.beside[name] for name in ITEMS}
            gone = {name: lost[name] + self.poisoned[name] for name in ITEMS}
            assert_balanced(self.prometheus.url, taken, gone, unaccounted=self.unreported)
        return Outcome(
            sent=sent,
            lost=lost,
            duplicated={name: seen.surplus for name, seen in signals.items()},
            gap=self._gap(),
            drain=self._drain(),
        )

    def flowing(self) -> bool:
        """Tell whether something of every signal has come."""
        return all(seen.came for seen in self.arrivals.signals.values())

    def told(self, name: str, **labels: str) -> float:
        """Return what the collector says of itself, summed over all series with these labels."""
        said = SelfMetrics.of(self.collector.env)
        assert said, "the collector does not tell its metrics"
        return said.total(name, **labels)

    def _settled(self, sent: dict[str, int], quiet: float) -> bool:
        self.arrivals.look()
        signals = self.arrivals.signals.items()
        complete = not any(seen.missing(sent[name]) for name, seen in signals)
        silent = time.time() - max(self.arrivals.last, self.ended) > quiet
        if complete:  # what still waits may be a second copy
            return not self.waiting("otlp_http/logfire")
        return silent and not any(map(self.waiting, EXPORTERS))

    def waiting(self, exporter: str) -> float:
        """Return how many bytes wait for a backend, or are on their way."""
        return self.told("exporter_queue_size", exporter=exporter)

    def _gap(self) -> float:
        times = sorted(self.arrivals.signals["samples"].made.values())
        return round(max(later - earlier for earlier, later in pairwise(times)), 1)

    def _drain(self) -> float:
        late = [
            seen.came[number] - self.ended
            for seen in self.arrivals.signals.values()
            for number, made in seen.made.items()
            if made <= self.ended
        ]
        return round(max(0.0, *late), 1)


@contextmanager
def run_trial(
    otelcol: Otelcol,
    configs: Sequence[str | Path],
    folder: Path,
    *,
    prometheus: Prometheus | None = None,
    rate: float = RATE,
    guarded: bool = False,
    **env: str,
) -> Iterator[Trial]:
    """Run base.yaml and these files under load; its state goes into `folder`.

    Args:
        otelcol: the collector's binary.
        configs: files below `collector/`, named without their ending, or paths.
        folder: where its queue is.
        prometheus: the backend of metrics; a recording sink by default.
        rate: requests a second.
        guarded: put the guard in front of both backends.
        env: variables of the collector.
    """
    if prometheus:
        ledger = {
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": prometheus.remote_write_endpoint,
            "SELF_LAST_REPORT_ENDPOINT": prometheus.last_report_endpoint,
            "SELF_METRICS_INTERVAL_MS": "300",
        }
        env = {**ledger, **env}
    with (
        run_pipeline(otelcol, configs, folder, env, guarded=guarded) as pipeline,
        Load(pipeline.collector.endpoint, rate) as load,
    ):
        backend = prometheus or pipeline.prometheus
        with Arrivals(pipeline.logfire, lambda: samples_in(backend, load.instance)) as arrivals:
            trial = Trial(pipeline, backend, load, arrivals)
            what = "spans, logs and samples at both backends"
            poll_until(trial.flowing, what, timeout=90)  # a sampler waits as long as it is told
            yield trial
