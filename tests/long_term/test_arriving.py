"""What the shipped collector writes, in a real long-term store, also after it was away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Metric,
)
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import CUMULATIVE, gauge, histogram, trace_id
from pytest_otelcol.collector import Otelcol

from tests.long_term.asked import queries
from tests.long_term.reading import exemplars, get, samples, values, visible, wait_for
from tests.long_term.stores import Store, VictoriaMetrics, thanos
from tests.long_term.writing import NAME, Written, milliseconds, write
from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline
from tests.support.shapes import request

HOUR = 3600.0
AGES = (23.5 * HOUR, 20 * HOUR, 3 * HOUR, 1.5 * HOUR, 1800, 60)  # seconds; filter/window: 23h50m
KEPT = "agentical_sampled_request_duration_seconds"  # whose exemplars the panels show
HELD = "held by guard"
REFUSED = "409"  # by a receive whose window is shorter: the guard passes it, the batch is dropped


@contextmanager
def writing_to(store: Store, otelcol: Otelcol, folder: Path) -> Iterator[Pipeline]:
    """Run the shipped files with a guard and the store behind it."""
    url = store.write_url + store.path
    with run_pipeline(otelcol, DEVELOPMENT, folder, {}, guarded=True, store=url) as pipeline:
        yield pipeline


def exponential(name: str) -> Metric:
    """Return a histogram with exponential buckets: two values up to 2, four up to 4."""
    point = ExponentialHistogramDataPoint(
        start_time_unix_nano=time.time_ns() - 60 * 10**9,
        time_unix_nano=time.time_ns(),
        count=6,
        sum=15.0,
        scale=0,
        positive=ExponentialHistogramDataPoint.Buckets(offset=0, bucket_counts=[2, 4]),
    )
    data = ExponentialHistogram(data_points=[point], aggregation_temporality=CUMULATIVE)
    return Metric(name=name, exponential_histogram=data)


def dated(name: str, value: float, seconds_ago: float) -> Metric:
    """Return a gauge of that age."""
    metric = gauge(name, value, unit="")
    metric.gauge.data_points[0].time_unix_nano -= int(seconds_ago * 1e9)
    return metric


def test_counts_histograms_and_exemplars_are_in_the_store(
    store: Store, otelcol: Otelcol, tmp_path: Path
) -> None:
    """VictoriaMetrics makes buckets of exponential histograms, and has no exemplars."""
    trace, whole = trace_id(), not isinstance(store, VictoriaMetrics)
    with writing_to(store, otelcol, tmp_path) as pipeline:
        pipeline.collector.send(*(request(duration=0.3, trace=trace) for _ in range(7)))
        pipeline.collector.send(histogram("own.time", [0.05, 0.5, 5.0]), exponential("own.growing"))
        wait_for(store, "sum(agentical_requests_total)", 7)
        wait_for(store, "agentical_request_duration_seconds_count", 7)
        wait_for(store, 'sum by (le) (own_time_seconds_bucket{le=~"0.1|1"})', 1, 2)
        wait_for(store, "histogram_count(own_growing)" if whole else "own_growing_count", 6)
        buckets = "own_growing" if whole else "own_growing_bucket"
        (median,) = values(store, f"histogram_quantile(0.5, {buckets})")
        assert 2 < median < 4

        wait_for(store, f"sum({KEPT}_count)", 7)
        found = [one["labels"]["trace_id"] for one in exemplars(store, f"{KEPT}_bucket")]
        assert set(found) == ({trace} if whole else set())


@pytest.mark.parametrize("kind", ["victoria-metrics", "thanos"])
def test_nothing_is_lost_that_an_outage_of_hours_delays(
    kind: str, otelcol: Otelcol, tmp_path: Path
) -> None:
    """Newer samples of the same series are there before: all that the queue has is out of order."""
    data = tmp_path / "data"
    with (
        VictoriaMetrics(data) if kind == "victoria-metrics" else thanos(data) as store,
        writing_to(store, otelcol, tmp_path) as pipeline,
    ):
        pipeline.collector.send(gauge("outage", 100, unit=""))
        wait_for(store, "outage", 100)
        store.stop()
        for number, age in enumerate(AGES):
            pipeline.collector.send(dated("outage", number, age))
        poll_until(lambda: HELD in pipeline.collector.output(), "an attempt to deliver them")
        store.start()
        expected = [*map(float, range(len(AGES))), 100.0]
        poll_until(lambda: samples(store, "outage") == expected, "all samples", timeout=60)


def test_thanos_without_its_window_drops_what_an_outage_delays(
    otelcol: Otelcol, tmp_path: Path
) -> None:
    """Why docs/long-term.md names the flag: Thanos' own default is none."""
    with (
        thanos(tmp_path / "data", out_of_order="0s") as store,
        writing_to(store, otelcol, tmp_path) as pipeline,
    ):
        pipeline.collector.send(gauge("outage", 100, unit=""))
        wait_for(store, "outage", 100)
        pipeline.collector.send(dated("outage", 1, 2 * HOUR))
        pipeline.collector.send(gauge("after", 1, unit=""))
        wait_for(store, "after", 1)
        assert samples(store, "outage") == [100.0]
        assert REFUSED in pipeline.collector.output()


def test_victoriametrics_takes_a_new_full_disk_for_one_that_fills(
    victoria_metrics: VictoriaMetrics,
) -> None:
    """Its delta() of a series that has just begun counts from zero."""
    disk = {NAME: "system_filesystem_utilization_ratio", "mode": "rw", "host": "new"}
    steady = [(milliseconds(seconds), 0.92) for seconds in range(600, 0, -15)]
    write(victoria_metrics.write_url + victoria_metrics.path, Written(disk, steady))
    (rule,) = (one for one in queries() if one.name == "HostDiskSpaceLow{severity=critical}")
    assert visible(victoria_metrics, rule.expr) == [0.92]


def test_victoriametrics_loses_what_it_took_just_before_a_kill(tmp_path: Path) -> None:
    """It acknowledges before it writes to disk, and has no log; by default it writes each 5 s."""
    rarely = {"inmemoryDataFlushInterval": "1h"}
    with VictoriaMetrics(tmp_path, **rarely) as store:
        write(store.write_url + store.path, Written({NAME: "taken"}, [(milliseconds(), 1.0)]))
        wait_for(store, "taken", 1)  # in memory
        store.kill()
        store.start()
        assert get(store, "query", query="taken[1h]")["result"] == []
