"""A backend is down, hanging, slow or overloaded for a while: nothing is lost."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from stack.services.prometheus import Prometheus
from tests.faults.conftest import StartTrial
from tests.faults.support.outcome import STATED, Row, record
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
BOTH_DOWN_IN_PRODUCTION = replace(BOTH_DOWN, environment="production")
# The one timeout that a short outage does not reach: at each, the buffer has to try again.
QUICK_TIMEOUT = "exporters: {prometheus_remote_write: {timeout: 500ms}}\n"
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


def test_a_killed_collector_loses_nothing(
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
    for trial in both:
        trial.collector.start()
    development.go_on(BOTH_DOWN.seconds / 2)
    for backend in backends:
        backend.start()
    for trial in both:
        trial.over()
    record(BOTH_DOWN, development.finish())
    record(BOTH_DOWN_IN_PRODUCTION, production.finish(quiet=DECISION_WAIT + 2, timeout=90))
