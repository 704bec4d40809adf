"""A backend is down, hanging, slow or overloaded for a while: nothing is lost."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

from stack.services.prometheus import Prometheus
from tests.faults.conftest import StartTrial
from tests.faults.support.outcome import STATED, Row, record
from tests.faults.support.trial import Trial
from tests.support.pipeline import DEVELOPMENT, PRODUCTION

LOGFIRE_DOWN = Row(
    "Logfire down for {seconds} under load, then back",
    "development",
    "0 lost, 0 duplicated",
    stated=60,
    short=2,
)
PROMETHEUS_DOWN = Row(
    "Prometheus silent for {seconds} (it takes connections, no more), then dead for {seconds}",
    "development",
    "no sample missing",
    stated=60,
    short=2,
)
SLOW = Row(
    "both backends take 5 s an answer, then answer 429 with Retry-After, then 503, {seconds} each",
    "development",
    "0 lost, 0 duplicated",
    stated=30,
    short=1.5,
)
BOTH_DOWN = Row(
    "both backends down for {seconds}, `kill -9` of the collector in the middle",
    "development",
    "0 lost",
    stated=60,
    short=2,
    none_twice=(),
)
BOTH_DOWN_IN_PRODUCTION = replace(
    BOTH_DOWN,
    environment="production",
    must_hold="0 lost logs and samples; spans only of the sampling window",
    none_lost=("logs", "samples"),
)
# The one timeout that a short outage does not reach.
QUICK_TIMEOUT = "exporters: {otlp_grpc/metrics_buffer: {timeout: 500ms}}\n"
DECISION_WAIT = 30 if STATED else 1  # seconds


def test_telemetry_of_a_logfire_outage_arrives_once(
    start_trial: StartTrial, prometheus: Prometheus
) -> None:
    trial = start_trial(*DEVELOPMENT, prometheus=prometheus)
    trial.logfire.stop()
    trial.go_on(LOGFIRE_DOWN.seconds)
    trial.logfire.start()
    trial.over()
    record(LOGFIRE_DOWN, trial.finish())


def test_no_sample_is_lost_when_prometheus_hangs_and_then_dies(
    start_trial: StartTrial, prometheus: Prometheus, tmp_path: Path
) -> None:
    quick = tmp_path / "quick-timeout.yaml"
    quick.write_text("" if STATED else QUICK_TIMEOUT)
    trial = start_trial(*DEVELOPMENT, quick, prometheus=prometheus)
    os.kill(prometheus.pid, signal.SIGSTOP)
    trial.go_on(PROMETHEUS_DOWN.seconds)
    prometheus.kill()  # and lose what it has not read yet
    trial.go_on(PROMETHEUS_DOWN.seconds)
    prometheus.start()
    trial.over()
    record(PROMETHEUS_DOWN, trial.finish())


def test_backends_that_are_slow_and_then_overloaded_lose_nothing(
    start_trial: StartTrial,
) -> None:
    trial = start_trial(*DEVELOPMENT, guarded=True)
    backends = trial.logfire, trial.pipeline.prometheus
    for backend in backends:
        backend.slow(5 if STATED else 1)
    trial.go_on(SLOW.seconds)
    for status in (429, 503):
        for backend in backends:
            backend.accept()
            backend.refuse(status, retry_after=1)
        trial.go_on(SLOW.seconds)
        assert status in {request.status for request in trial.logfire.requests}
    for backend in backends:
        backend.accept()
    trial.over()
    record(SLOW, trial.finish())


def test_a_killed_collector_loses_at_most_the_sampling_window(
    start_trial: StartTrial,
) -> None:
    development = start_trial(*DEVELOPMENT)
    production = start_trial(
        *PRODUCTION, TRACE_DECISION_WAIT=f"{DECISION_WAIT}s", TRACE_SAMPLE_PERCENT="100"
    )
    both = (development, production)
    backends = [backend for trial in both for backend in (trial.logfire, trial.prometheus)]
    for backend in backends:
        backend.stop()
    development.go_on(BOTH_DOWN.seconds / 2)
    for trial in both:
        trial.kill()
    killed = time.time()
    for trial in both:
        trial.collector.start()
    development.go_on(BOTH_DOWN.seconds / 2)
    for backend in backends:
        backend.start()
    for trial in both:
        trial.over()
    record(BOTH_DOWN, development.finish())
    outcome = production.finish(quiet=DECISION_WAIT + 2, timeout=90)
    record(BOTH_DOWN_IN_PRODUCTION, replace(outcome, note=lost_window(production, killed)))


def lost_window(trial: Trial, killed: float) -> str:
    """Say when the lost spans were made, by their logs; it must be the sampling window."""
    spans, logs = trial.arrivals.signals["spans"], trial.arrivals.signals["logs"]
    before = [killed - logs.made[number] for number in logs.made.keys() - spans.made.keys()]
    # The decision wait, then the batch (200 ms); the sampler ticks once a second.
    assert all(-1 < seconds < DECISION_WAIT + 2 for seconds in before), (min(before), max(before))
    return f"the lost spans were made in the {max(before):.1f} s before the kill"
