"""The collector is down for long: the service buffers up to its limit and counts what it drops."""

import psutil

from tests.faults.conftest import StartTrial
from tests.faults.support.outcome import STATED, Outcome, Row, record
from tests.faults.support.trial import Load
from tests.support.pipeline import DEVELOPMENT, Pipeline

GONE = Row(
    "the collector gone for {seconds} under load",
    "development",
    "service unharmed, memory bounded, what had to be dropped is counted and logged once a minute",
    stated=300,
    short=3,
    none_lost=("not counted",),
    none_twice=("spans", "logs"),
)
# A short outage is tested with short queues and a short export timeout.
SMALL = {
    "OTEL_BSP_MAX_QUEUE_SIZE": "64",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "32",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "64",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "32",
    # A request that is answered later counts as lost, although it arrived.
    "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
}
MEGABYTES = 40  # the most the process may grow: two queues of 2,048 items of about 6 kB took 25


def test_producers_count_what_they_drop_without_a_collector(start_trial: StartTrial) -> None:
    trial = start_trial(*DEVELOPMENT, producer={} if STATED else SMALL)
    trial.shut = True
    before = megabytes(trial.load)
    trial.collector.stop()
    trial.go_on(GONE.seconds)
    grown = megabytes(trial.load) - before
    trial.collector.start()
    trial.over()
    outcome = trial.finish()
    assert grown < MEGABYTES
    assert warnings(trial.load) <= 1 + GONE.seconds // 60
    record(GONE, with_counts(trial.pipeline, outcome, trial.load, grown))


def with_counts(pipeline: Pipeline, outcome: Outcome, load: Load, grown: float) -> Outcome:
    """Add how much of the loss the producer's metrics do not show."""
    counted = {name: dropped(pipeline, name[:-1], load.instance) for name in ("spans", "logs")}
    lost = {name: outcome.lost[name] for name in counted}
    assert all(lost.values()), f"the fault was too short to lose anything: {outcome}"
    hidden = sum(abs(lost[name] - counted[name]) for name in counted)
    return Outcome(
        outcome.sent,
        {**outcome.lost, "not counted": hidden},
        outcome.duplicated,
        outcome.gap,
        outcome.drain,
        f"the producer counted {counted['spans']} spans and {counted['logs']} logs as dropped, "
        f"and grew by {grown:.0f} MB",
    )


def dropped(pipeline: Pipeline, item: str, instance: str) -> int:
    """Return how much a producer dropped by its own metrics."""
    names = f"otel_sdk_processor_{item}_processed_total", f"otel_sdk_exporter_{item}_exported_total"
    found = [one for name in names for one in pipeline.prometheus.series(name)]
    return sum(
        int(one.value)
        for one in found
        if one.labels.get("error_type") and one.labels["instance"] == instance
    )


def warnings(load: Load) -> int:
    """Return how many lines OpenTelemetry wrote on stderr."""
    return sum(" opentelemetry." in line for line in load.output().splitlines())


def megabytes(load: Load) -> float:
    """Return the memory that the producer uses."""
    used: int = psutil.Process(load.pid).memory_info().rss
    return used / 1e6
