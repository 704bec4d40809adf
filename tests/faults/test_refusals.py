"""A backend refuses good telemetry for a while, or one poisoned batch for good."""

from dataclasses import replace
from functools import partial

from otelcol_runner.telemetry import log
from pytest_otelcol.server import RecordingServer

from stack.services.prometheus import Prometheus
from tests.faults.conftest import StartTrial
from tests.faults.support.outcome import Row, record
from tests.support.pipeline import DEVELOPMENT

UNTOLD = "logs more or less than counted"
FAILED = "exporter_send_failed_log_records"
POISONED = [400, 413]
REFUSED = Row(
    "both backends answer 401, 403 and 500, {seconds} each, `kill -9` of the collector in the "
    "middle; the guard in front",
    "development",
    "the backlog survives: 0 lost",
    stated=20,
    short=1,
    none_twice=(),
)
POISON = Row(
    "Logfire answers 400, and later 413, to one poisoned batch",
    "development",
    "only that batch is dropped, and counted",
    stated=0,
    short=0,
    none_lost=("spans", "samples", UNTOLD),
)


def test_refused_telemetry_survives_a_kill_and_is_delivered_later(
    start_trial: StartTrial,
) -> None:
    trial = start_trial(*DEVELOPMENT, guarded=True)
    backends = trial.logfire, trial.pipeline.prometheus
    for status in (401, 403, 500):
        for backend in backends:
            backend.refuse(status)
            backend.wait_for(partial(answered, status), f"the {status}", timeout=30)
        trial.go_on(REFUSED.seconds)
        if status == 403:
            trial.kill()
            trial.collector.start()
    for backend in backends:
        backend.accept()
    trial.over()
    record(REFUSED, trial.finish())


def test_only_the_poisoned_batch_is_dropped_and_counted(
    start_trial: StartTrial, prometheus: Prometheus
) -> None:
    trial = start_trial(*DEVELOPMENT, prometheus=prometheus, guarded=True)
    for status in POISONED:
        trial.logfire.refuse(status, containing=b"poison %d" % status)
        trial.collector.send(log(f"poison {status}"))
        trial.poisoned["logs"] += 1
        trial.logfire.wait_for(partial(answered, status), f"the {status}")
    trial.over()
    outcome = trial.finish()
    counted = round(trial.self_metric(FAILED, exporter="otlp_http/logfire"))
    dropped = outcome.lost["logs"] + len(POISONED)
    assert sorted(status for status in statuses(trial.logfire) if status != 200) == POISONED
    lost = {**outcome.lost, UNTOLD: abs(dropped - counted)}
    note = f"{dropped} logs in the two refused requests; {FAILED} says {counted}"
    record(POISON, replace(outcome, lost=lost, note=note))


def statuses(backend: RecordingServer) -> list[int]:
    return [request.status for request in backend.requests]


def answered(status: int, backend: RecordingServer) -> bool:
    return status in statuses(backend)
