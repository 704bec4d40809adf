"""The measured constants of the formulas, from the benchmark's results."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from stack.errors import UserError
from stack.paths import ROOT

RESULTS = ROOT / "docs" / "measurements" / "performance.json"
SERVICE = ("agentical-api", "agentical-worker")
QUEUES = ("traces", "logs", "metrics")
TICK = 0.5  # seconds of extra wait on average: the sampler decides once a second
HELD_SECONDS = 35.0  # that the window had spans of: a decision wait of 30 s, and its margin
Rows = list[dict[str, float]]


@dataclass(frozen=True)
class Series:
    """Number of series: of one process on average, and of a collector's own metrics."""

    process: float
    process_sampled: float  # of these: from kept traces, so each gateway has its own
    route: float  # of these: added by one more route
    collector: float
    host: float  # of a node, that its agent monitors


@dataclass(frozen=True)
class Measured:
    """The constants; each is a mean, a median, or a slope between two runs of `python -m bench`.

    Attributes:
        cpu_us_per_span: CPU time of a production collector in microseconds, user and system.
        base_bytes: its resident memory with an empty sampler.
        bytes_per_undecided_span: resident memory of each span that waits for a decision.
        bytes_per_decision: resident memory of each cached decision.
        bytes_per_window_span: size of each span in the sampling window.
        queue_bytes: queue size per kept span, per log record, and per series and second, by
            queue.
        file_factor: bytes on disk per byte of queue size.
        spans_per_request, logs_per_request: of one task of our service.
        series: numbers of series.
        spans_per_trace: of the traces that CPU and memory were measured with.
    """

    cpu_us_per_span: float
    base_bytes: float
    bytes_per_undecided_span: float
    bytes_per_decision: float
    bytes_per_window_span: float
    queue_bytes: Mapping[str, float]
    file_factor: float
    spans_per_request: float
    logs_per_request: float
    series: Series
    spans_per_trace: float


def measured(results: Path = RESULTS) -> Measured:
    """Return the constants; raises `UserError` if they have not been measured."""
    try:
        return constants(json.loads(results.read_text()))
    except (OSError, KeyError, ValueError):
        raise UserError(
            f"{results} has no capacity figures: measure them with "
            "`python -m bench --only capacity`"
        ) from None


def constants(results: Mapping[str, Any]) -> Measured:
    """Derive the constants from the first run of each part. Raises `KeyError` if one is missing."""
    found = results["capacity"]
    outage, file = found["outage"], found["file"]
    base, per_span = _memory(found["window"])
    made = {signal: outage["accepted"][signal] / outage["requests"] for signal in ("spans", "logs")}
    return Measured(
        cpu_us_per_span=fmean(row["us_per_span"] for row in found["window"]["30"]),
        base_bytes=base,
        bytes_per_undecided_span=per_span,
        bytes_per_decision=_per_decision(found["decisions"], found["spans_per_trace_fed"]),
        bytes_per_window_span=_per_window_span(results["held"]["production"]),
        queue_bytes=_queue_bytes(outage),
        file_factor=file["disk_bytes"]["traces"] / file["queue_bytes"]["traces"],
        spans_per_request=made["spans"],
        logs_per_request=made["logs"],
        series=_series(found["series"]),
        spans_per_trace=found["spans_per_trace_fed"],
    )


def of_median(rows: Rows, field: str) -> float:
    return float(median(row[field] for row in rows))


def _memory(windows: Mapping[str, Rows]) -> tuple[float, float]:
    """Return intercept and slope of resident memory over waiting spans."""
    (short, first), (long, last) = (
        (
            (float(wait) + TICK) * of_median(rows, "spans_per_second"),
            of_median(rows, "rss_mb") * 1e6,
        )
        for wait, rows in sorted(windows.items(), key=lambda item: float(item[0]))
    )
    slope = (last - first) / (long - short)
    return first - slope * short, slope


def _per_decision(found: Mapping[str, Any], spans_per_trace: float) -> float:
    """Return the memory per cached decision, by the decisions made until each window."""
    cached, uncached = found["rows"].values()
    seconds = found["window_seconds"]
    decided = (
        row["spans_per_second"] / spans_per_trace * (found["warm_seconds"] + (n + 0.5) * seconds)
        for n, row in enumerate(cached)
    )
    return fmean(
        (one["rss_mb"] - other["rss_mb"]) * 1e6 / count
        for one, other, count in zip(cached, uncached, decided, strict=True)
    )


def _per_window_span(rows: Rows) -> float:
    """Return the bytes of each span in the window, of which the kept ones are there twice."""
    sizes = ((row["memory_mb"] - row["rss_mb"]) * 1e6 / HELD_SECONDS for row in rows)
    written = (row["spans_per_second"] * (1 + row["delivered"] / row["spans"]) for row in rows)
    return fmean(size / spans for size, spans in zip(sizes, written, strict=True))


def _queue_bytes(outage: Mapping[str, Any]) -> dict[str, float]:
    """Return bytes per kept span, per log record, and per series and second."""
    waiting, sizes = outage["waiting"], outage["queue_bytes"]
    return {
        "traces": sizes["traces"] / waiting["spans"],
        "logs": sizes["logs"] / waiting["logs"],
        "metrics": sizes["metrics"] / outage["series"] / outage["seconds"],
    }


def _series(jobs: Mapping[str, Mapping[str, int]]) -> Series:
    service = [jobs[name] for name in SERVICE]
    return Series(
        process=fmean(job["series"] for job in service),
        process_sampled=fmean(job["sampled"] for job in service),
        route=sum(job["of_routes"] for job in service) / sum(job["routes"] for job in service),
        collector=jobs["collector"]["series"],
        host=jobs["host"]["series"],
    )
