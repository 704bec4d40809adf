"""Telemetry with wrong timestamps: what a backend refuses does not affect the rest."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.telemetry import gauge, log, span
from pytest_otelcol.collector import Otelcol

from stack.clients.collector import SelfMetrics
from stack.services.prometheus import Prometheus
from stack.services.stand_in import StandIn
from tests.faults.support.arrivals import samples_until
from tests.faults.support.outcome import ALL, Outcome, Row, record
from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline

HOUR = 3600.0
NEW = 20  # of each signal
TOO_OLD = Row(
    "telemetry of 25 h ago, and samples of 20 min ahead, wait in the queue among newer ones",
    "development",
    "what is newer arrives; what no backend takes is dropped alone",
    stated=0,
    short=0,
)
SHIFTED = Row(
    "samples out of order, 20 h late, 5 min ahead, from three processes of one service",
    "development",
    "no series collides, no batch refused",
    stated=0,
    short=0,
    none_lost=("samples",),
    none_twice=("samples",),
)
INSTANCES = ("one", "two", "three")


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn(free_port()) as server:
        yield server


def sample(name: str, value: float, age: float) -> Metric:
    """Return a gauge whose one sample is `age` seconds old."""
    metric = gauge(name, value, unit="{number}")
    metric.gauge.data_points[0].time_unix_nano = int((time.time() - age) * 1e9)
    return metric


def values(prometheus: Prometheus, name: str, **labels: str) -> list[float]:
    """Return a metric's values ordered by timestamp, however old."""
    chosen = ",".join(f'{label}="{value}"' for label, value in labels.items())
    found = samples_until(prometheus, f"{name}{{{chosen}}}[2d]", time.time() + HOUR)
    return [value for _, value in found]


def bodies(stand_in: StandIn, kind: str) -> list[str]:
    """Return the messages of the records of this kind."""
    rows = stand_in.query(f"SELECT message FROM records WHERE kind = '{kind}'")
    return [row["message"] for row in rows]


def test_samples_too_old_do_not_block_newer_ones(
    otelcol: Otelcol, tmp_path: Path, prometheus: Prometheus, stand_in: StandIn
) -> None:
    backends = {
        "LOGFIRE_ENDPOINT": stand_in.url,
        "LOGFIRE_TOKEN": stand_in.write_token,
        "PROMETHEUS_REMOTE_WRITE_ENDPOINT": prometheus.remote_write_endpoint,
    }
    with run_pipeline(otelcol, DEVELOPMENT, tmp_path, backends) as pipeline:
        stand_in.fault(down="503")
        prometheus.stop()
        now = time.time()
        old = int((now - 25 * HOUR) * 1e9)
        for n in range(NEW):
            spans, logs = [span(f"old{n}"), span(f"new{n}")], [log(f"old{n}"), log(f"new{n}")]
            spans[0].start_time_unix_nano = spans[0].end_time_unix_nano = old
            logs[0].time_unix_nano = logs[0].observed_time_unix_nano = old
            strange = sample("test.old", n, 25 * HOUR - n), sample("test.ahead", n, -1200 - n)
            pipeline.collector.send(*spans, *logs, *strange, sample("test.new", n, NEW - n))
        stand_in.fault()
        prometheus.start()
        ended = time.monotonic()

        def arrived() -> dict[str, list[str]]:
            samples = [f"new{value:g}" for value in values(prometheus, "test_new")]
            return dict(
                zip(ALL, (bodies(stand_in, "span"), bodies(stand_in, "log"), samples), strict=True)
            )

        poll_until(
            lambda: all(len(set(x)) >= NEW for x in arrived().values()),
            "what is newer",
            timeout=40,
            seen=arrived,
        )
        dropped = dropped_by(pipeline), stand_in.counts()["dropped_out_of_window"]
        assert dropped[0] >= 2 * NEW  # a retried batch is counted again
        assert dropped[1] == 2 * NEW
        assert not values(prometheus, "test_old") + values(prometheus, "test_ahead")
        came = arrived()
        wanted = {f"new{n}" for n in range(NEW)}
        record(
            TOO_OLD,
            Outcome(
                dict.fromkeys(ALL, NEW),
                {name: len(wanted - set(found)) for name, found in came.items()},
                {name: len(found) - NEW for name, found in came.items()},
                drain=round(time.monotonic() - ended, 1),
                note=f"dropped: {2 * NEW} samples by the collector, "
                f"{dropped[1]} spans and logs by the stand-in",
            ),
        )


def dropped_by(pipeline: Pipeline) -> float:
    """Return how many samples the collector counted as outside of the window."""
    found = SelfMetrics.of(pipeline.collector.env)
    return found.total("processor_filter_datapoints_filtered", filter="filter/window")


def test_samples_of_processes_with_shifted_clocks_all_arrive(
    otelcol: Otelcol, tmp_path: Path, prometheus: Prometheus
) -> None:
    backend = {"PROMETHEUS_REMOTE_WRITE_ENDPOINT": prometheus.remote_write_endpoint}
    ages: Sequence[float] = [0, 5, 3, 1, 4, 2, 1800, 7200, 20 * HOUR, -300]
    with run_pipeline(otelcol, DEVELOPMENT, tmp_path, backend) as pipeline:
        pipeline.collector.send(sample("test.first", 1, 0))  # an empty database takes any age
        poll_until(lambda: values(prometheus, "test_first"), "a first sample")
        for number, age in enumerate(ages):
            metric = sample("test.shifted", number, age)  # sent at the same time by all processes
            for instance in INSTANCES:
                who = {"service.name": "shifted", "service.instance.id": instance}
                pipeline.collector.send(metric, resource=who)
        in_order = sorted(range(len(ages)), key=lambda number: -ages[number])

        def complete() -> bool:
            found = [values(prometheus, "test_shifted", instance=i) for i in INSTANCES]
            return found == [in_order] * len(INSTANCES)

        poll_until(complete, "every sample of each process in order", timeout=20)
        assert not [line for line in pipeline.collector.warnings() if "Exporting failed" in line]
        sent = len(ages) * len(INSTANCES)
        record(SHIFTED, Outcome({"samples": sent}, {"samples": 0}, {"samples": 0}))
