"""The queues on disk while no backend answers: with the service's telemetry, and the feeder's."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from otelcol_runner.polling import poll_until

from bench.capacity.series import series_by_job
from bench.collector.compare import Say
from bench.collector.configs import shipped
from bench.collector.measure import Bed, bed
from bench.collector.spans import PER_TRACE
from stack.clients.collector import SelfMetrics
from stack.load.generator import Load
from stack.pipeline.launch import Pipeline

QUEUES = {
    "traces": "otlp_http/logfire",
    "logs": "otlp_http/logfire",
    "metrics": "otlp_grpc/metrics_buffer",
}
COUNTERS = {"spans": "receiver_accepted_spans", "logs": "receiver_accepted_log_records"}
WARM = 15.0  # seconds of the usual mix: every route has its series by then
FLUSHES = 12.0  # seconds until the last points are in Prometheus, at any interval
QUIET = 4  # readings half a second apart without a change
LEFT = 100.0  # bytes in a queue that counts as empty
Found = dict[str, Any]


def of_the_service(
    *, rate: float, seconds: float, percent: float, say: Say
) -> tuple[Found, dict[str, Found]]:
    """Run the service in production, stop both backends, and measure the queues.

    Args:
        rate: tasks a second.
        seconds: how long; a multiple of 10, in which every interval of the metrics fits.
        percent: the sampling rate.
        say: receives the result as text.

    Returns:
        What waited, and the series of each job in Prometheus.
    """
    variables = {"TRACE_DECISION_WAIT": "1s", "TRACE_SAMPLE_PERCENT": f"{percent:g}"}
    with Pipeline(environment="production", variables=variables) as pipeline:
        assert pipeline.stand_in  # noqa: S101 - both are part of the default route
        assert pipeline.prometheus  # noqa: S101
        with Load(pipeline.api_url, rate=20):
            time.sleep(WARM)
        time.sleep(FLUSHES)
        series = series_by_job(pipeline.prometheus_url)
        pipeline.stand_in.stop()
        pipeline.prometheus.stop()
        found = _waiting(pipeline, rate, seconds, series) | {"percent": percent}
        pipeline.stand_in.start()
        poll_until(
            lambda: _to_logfire(pipeline) <= LEFT, "the queues empty", timeout=90, interval=0.5
        )
        counts = pipeline.stand_in.counts()
        found["waiting"] = {signal: counts[signal] for signal in COUNTERS}
    say(f"outage at {rate:g} tasks/s: {found}")
    return found, series


def _waiting(pipeline: Pipeline, rate: float, seconds: float, series: Mapping[str, Found]) -> Found:
    before, begun = _own(pipeline), time.monotonic()
    with Load(pipeline.api_url, rate=rate, tasks_only=True) as load:
        time.sleep(begun + seconds - time.monotonic())
        metrics = _sizes(_own(pipeline), ("metrics",))["metrics"]
    settled(lambda: _to_logfire(pipeline))
    after = _own(pipeline)
    held = {**_sizes(after, ("traces", "logs")), "metrics": metrics}
    first = _sizes(before, tuple(QUEUES))
    return {
        "requests": load.sent.answered,
        "seconds": seconds,
        "series": sum(one["series"] for one in series.values()),
        "accepted": {
            signal: int(after.total(name) - before.total(name)) for signal, name in COUNTERS.items()
        },
        "queue_bytes": {queue: round(held[queue] - first[queue]) for queue in QUEUES},
        "disk_bytes": on_disk(pipeline.state / "queue"),
    }


def of_the_feeder(*, rate: float, seconds: float, say: Say) -> Found:
    """Feed production at `rate` spans a second while no backend accepts them."""
    with bed(shipped("production")) as under:
        found = filled(under, rate, seconds)
        under.sink.start()
        poll_until(lambda: _traces(under) <= LEFT, "the queue empty", timeout=90, interval=0.5)
        found["waiting"] = {"spans": under.delivered()}
    say(f"outage at {rate:g} spans/s: {found}")
    return found


def filled(under: Bed, rate: float, seconds: float) -> Found:
    """Stop the backend, feed, and return the queue's count and its file's size."""
    under.sink.stop()
    with under.feeder(int(rate * seconds), rate=rate) as feed:
        sent = feed.sent()
    traces = sent["spans"] / PER_TRACE
    poll_until(lambda: _decided(under) >= traces, "every trace decided", timeout=60, interval=0.5)
    return {
        "seconds": seconds,
        "accepted": {"spans": int(sent["spans"])},
        "queue_bytes": {"traces": round(settled(lambda: _traces(under)))},
        "disk_bytes": on_disk(Path(under.collector.env["COLLECTOR_QUEUE_DIR"])),
    }


def settled(size: Callable[[], float]) -> float:
    """Wait until a queue's size has not changed for a while; returns it."""
    seen: deque[float] = deque(maxlen=QUIET)

    def same() -> bool:
        seen.append(size())
        return len(seen) == QUIET and min(seen) == max(seen) > 0

    poll_until(
        same, "queues that no longer change", timeout=90, interval=0.5, seen=lambda: str(seen)
    )
    return seen[-1]


def on_disk(folder: Path) -> dict[str, int]:
    """Return the disk usage of each queue's sparse file in bytes."""
    names = {
        queue: f"exporter_{exporter.replace('/', '_')}_{queue}"
        for queue, exporter in QUEUES.items()
    }
    return {
        queue: (folder / name).stat().st_blocks * 512
        for queue, name in names.items()
        if (folder / name).exists()
    }


def _own(pipeline: Pipeline) -> SelfMetrics:
    return poll_until(
        lambda: SelfMetrics.read(pipeline.self_metrics_url), "the collector's metrics", timeout=30
    )


def _to_logfire(pipeline: Pipeline) -> float:
    return sum(_sizes(_own(pipeline), ("traces", "logs")).values())


def _traces(under: Bed) -> float:
    return _sizes(under.read(), ("traces",))["traces"]


def _decided(under: Bed) -> float:
    return under.read().total("processor_tail_sampling_global_count_traces_sampled")


def _sizes(own: SelfMetrics, queues: tuple[str, ...]) -> dict[str, float]:
    return {
        queue: own.total("exporter_queue_size", exporter=QUEUES[queue], data_type=queue)
        for queue in queues
    }
