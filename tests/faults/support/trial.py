"""One collector under a numbered load with both its backends, to inject faults into."""

import re
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import cramjam
import httpx
from otelcol_runner.polling import poll_until
from otelcol_runner.process import Process
from otelcol_runner.views import Log, Span
from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from stack.clients.collector import SelfMetrics
from stack.paths import ROOT
from stack.services.prometheus import Prometheus
from stack.services.window import Window
from tests.faults.support.arrivals import Arrivals, samples_in
from tests.faults.support.outcome import Outcome
from tests.faults.support.producer import NUMBER, PRODUCING, Made
from tests.support.ledger import ITEMS, assert_balanced, ledger_prometheus
from tests.support.pipeline import PRODUCTION, Pipeline, run_pipeline
from tests.support.service import FAST, inherited

EXPORTERS = ("otlp_http/logfire", "otlp_grpc/metrics_buffer")
RATE = 100.0  # requests a second: each is a span and a log; a sample every half second
AFTER = 1.0  # seconds that the load continues after the fault
QUIET = 2.0  # seconds without arrivals, after which what is missing counts as lost


class Load(Process):
    """The producer as a process; it sends to an OTLP endpoint (`http://127.0.0.1:4318`)."""

    def __init__(self, endpoint: str, rate: float, variables: Mapping[str, str]) -> None:
        self.instance = uuid.uuid4().hex
        env = {
            **inherited(),
            **FAST,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={self.instance}",
            **variables,
        }
        super().__init__(
            "load",
            [sys.executable, "-m", "tests.faults.support.producer", str(rate)],
            env=env,
            clean_env=True,
            ready=lambda: PRODUCING in self.output(),
            stop_timeout=60.0,  # it flushes first
            cwd=ROOT,
        )

    def finish(self) -> Made:
        """Stop it and return what it has made. Raises `AssertionError` without its report."""
        self.stop()
        found = re.findall(r'\{"spans": (\d+), "logs": (\d+), "samples": (\d+)\}', self.output())
        assert found, f"the producer did not end well:\n{self.tail()}"
        return Made(*map(int, found[-1]))


@dataclass
class Trial:
    """A running load, its collector and both backends.

    Use: break something, `go_on(seconds)`, mend it, `over()`, `finish()`.
    """

    pipeline: Pipeline
    prometheus: Prometheus | RemoteWriteSink
    ledger: Prometheus  # evaluates it; also the metrics backend, where that is a real one
    load: Load
    arrivals: Arrivals
    ended: float = field(default_factory=time.time)
    poisoned: Counter[str] = field(default_factory=Counter)  # sent besides; always refused
    shut: bool = False  # what is lost was never accepted: the collector was down
    unreported: float = 0  # the most that a `kill -9` hid from the ledger
    handed_on: int = 0

    @property
    def collector(self) -> Collector:
        """The collector; `stop`, `kill`, `start` and `restart` keep its queue."""
        return self.pipeline.collector

    @property
    def logfire(self) -> OtlpSink:
        """The backend of spans and logs."""
        return self.pipeline.logfire

    def go_on(self, seconds: float) -> None:
        """Let the load run for the length of a fault: not a wait for a result."""
        time.sleep(seconds)

    def over(self) -> None:
        """Mark the end of the fault; the load continues for a moment."""
        self.ended = time.time()
        self.go_on(AFTER)

    def finish(self, *, quiet: float = QUIET, timeout: float = 60.0) -> Outcome:
        """Stop the load, wait until everything arrived or nothing more arrives, and count.

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
        self._balance(sent, lost)
        return Outcome(
            sent=sent,
            lost=lost,
            duplicated={name: seen.surplus for name, seen in signals.items()},
            gap=self._gap(),
            drain=self._drain(),
        )

    def kill(self) -> None:
        """Kill the collector with `kill -9`, which hides its metrics since the last report."""
        self.collector.kill()
        self.unreported += RATE

    def _balance(self, sent: Mapping[str, int], lost: Mapping[str, int]) -> None:
        """Wait until the ledger shows what was accepted, and how much of it was lost."""
        gone = {name: self.poisoned[name] + (0 if self.shut else lost[name]) for name in ITEMS}
        came: dict[str, Sequence[Span | Log]]
        came = {"spans": self.logfire.spans, "logs": self.logfire.logs}
        own = {name: sent[name] - lost[name] for name in ITEMS}
        beside = {name: sum(map(is_beside, came[name])) for name in ITEMS}
        taken = {name: own[name] + gone[name] + beside[name] for name in ITEMS}
        slack, feed = self.unreported, self._hand_on
        assert_balanced(self.ledger.url, taken, gone, unaccounted=slack, feed=feed)

    def _hand_on(self) -> None:
        """Forward to the ledger's Prometheus what only a recording sink received."""
        taken = self.pipeline.prometheus.raw or []
        for body in taken[self.handed_on :]:
            packed = bytes(cramjam.snappy.compress_raw(body))
            headers = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}
            url = self.ledger.remote_write_endpoint
            answer = httpx.post(url, content=packed, headers=headers)
            assert answer.is_success, answer.text
            self.handed_on += 1

    def flowing(self) -> bool:
        """Tell whether something of every signal has arrived."""
        return all(seen.came for seen in self.arrivals.signals.values())

    def self_metric(self, name: str, **labels: str) -> float:
        """Return a metric of the collector itself, summed over all series with these labels."""
        said = SelfMetrics.of(self.collector.env)
        assert said, "the collector does not tell its metrics"
        return said.total(name, **labels)

    def _settled(self, sent: dict[str, int], quiet: float) -> bool:
        self.arrivals.look()
        signals = self.arrivals.signals.items()
        complete = not any(seen.missing(sent[name]) for name, seen in signals)
        silent = time.time() - max(self.arrivals.last, self.ended) > quiet
        if complete:  # what is still queued may be a duplicate
            return not self.waiting("otlp_http/logfire")
        return silent and not any(map(self.waiting, EXPORTERS))

    def waiting(self, exporter: str) -> float:
        """Return how many bytes are queued for a backend or in flight."""
        return self.self_metric("exporter_queue_size", exporter=exporter)

    def _gap(self) -> float:
        times = sorted(self.arrivals.signals["samples"].made.values())
        return round(max(later - earlier for earlier, later in pairwise(times)), 1)

    def _drain(self) -> float:
        late = [  # none, where the fault was over before the load began
            seen.came[number] - self.ended
            for seen in self.arrivals.signals.values()
            for number, made in seen.made.items()
            if made <= self.ended
        ]
        return round(max([0.0, *late]), 1)


def is_beside(item: Span | Log) -> bool:
    """Tell whether it was sent by something other than the load."""
    return NUMBER not in item.attributes


@contextmanager
def run_trial(
    otelcol: Otelcol,
    configs: Sequence[str | Path],
    folder: Path,
    *,
    prometheus: Prometheus | None = None,
    rate: float = RATE,
    producer: Mapping[str, str] | None = None,
    guarded: bool = False,
    **env: str,
) -> Iterator[Trial]:
    """Run the stages and these files under load; its state goes into `folder`.

    Args:
        otelcol: the collector's binary.
        configs: files below `collector/`, named without their ending, or paths.
        folder: where its queue is.
        prometheus: the backend of metrics; a recording sink by default.
        rate: requests a second.
        producer: variables of the load.
        guarded: put the guard in front of both backends.
        env: variables of the collector.
    """
    with ExitStack() as stack:
        ledger = prometheus or stack.enter_context(ledger_prometheus(folder / "ledger"))
        written = prometheus and prometheus.remote_write_endpoint
        env = {
            **({"PROMETHEUS_REMOTE_WRITE_ENDPOINT": written} if written else {}),
            "SELF_LAST_REPORT_ENDPOINT": ledger.last_report_endpoint,
            "SELF_METRICS_INTERVAL_MS": "300",
            **env,
        }
        pipeline = stack.enter_context(run_pipeline(otelcol, configs, folder, env, guarded=guarded))
        if PRODUCTION[0] in configs:
            stack.enter_context(Window(pipeline.collector.env))
        pipeline.prometheus.keep_raw()
        load = stack.enter_context(Load(pipeline.collector.endpoint, rate, producer or {}))
        backend = prometheus or pipeline.prometheus
        arrivals = stack.enter_context(
            Arrivals(pipeline.logfire, lambda: samples_in(backend, load.instance))
        )
        trial = Trial(pipeline, backend, ledger, load, arrivals)
        what = "spans, logs and samples at both backends"
        poll_until(trial.flowing, what, timeout=90)  # a sampler waits as long as configured
        yield trial
