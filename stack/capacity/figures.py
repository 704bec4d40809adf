"""What was measured: the constants of the formulas, from the benchmark's kept figures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from stack.errors import UserError
from stack.paths import ROOT

KEPT = ROOT / "docs" / "measurements" / "performance.json"
SERVICE = ("agentical-api", "agentical-worker")
QUEUES = ("traces", "logs", "metrics")
TICK = 0.5  # seconds that a trace waits longer on average: the sampler decides once a second
Rows = list[dict[str, float]]


@dataclass(frozen=True)
class Series:
    """How many series there are: of one process on average, and of a collector about itself."""

    process: float
    process_sampled: float  # those of them that every gateway makes anew, from kept traces
    route: float  # those of them that one more route adds
    collector: float


@dataclass(frozen=True)
class Measured:
    """The constants; each is a mean or a median, or a slope between two runs, of `python -m bench`.

    Attributes:
        cpu_us_per_span: CPU of one production collector, user and system, at a steady rate.
        base_bytes: its resident memory with nothing in the sampler.
        bytes_per_undecided_span: resident memory for each span that waits for its decision.
        bytes_per_decision: resident memory for each decision that is remembered.
        queue_bytes: what a queue counts for a kept span, for a log record, and for a series in a
            second, by queue.
        file_factor: bytes on disk for a byte that the queue counts.
        spans_per_request, logs_per_request: of one task of the service.
        series: how many series there are.
        spans_per_trace: of the traces with which CPU and memory were measured.
    """

    cpu_us_per_span: float
    base_bytes: float
    bytes_per_undecided_span: float
    bytes_per_decision: float
    queue_bytes: Mapping[str, float]
    file_factor: float
    spans_per_request: float
    logs_per_request: float
    series: Series
    spans_per_trace: float


def measured(kept: Path = KEPT) -> Measured:
    """Return the constants; raises `UserError` when the figures were not taken."""
    try:
        found: dict[str, Any] = json.loads(kept.read_text())["capacity"]
    except (OSError, KeyError, ValueError):
        raise UserError(
            f"{kept} holds no measured capacity: take it with `python -m bench --only capacity`"
        ) from None
    return constants(found)


def constants(found: Mapping[str, Any]) -> Measured:
    """Return what follows from the first run of each part."""
    outage, file = found["outage"], found["file"]
    base, per_span = _memory(found["window"])
    made = {signal: outage["accepted"][signal] / outage["requests"] for signal in ("spans", "logs")}
    return Measured(
        cpu_us_per_span=fmean(row["us_per_span"] for row in found["window"]["30"]),
        base_bytes=base,
        bytes_per_undecided_span=per_span,
        bytes_per_decision=_per_decision(found["decisions"], found["spans_per_trace_fed"]),
        queue_bytes=_queue_bytes(outage),
        file_factor=file["disk_bytes"]["traces"] / file["queue_bytes"]["traces"],
        spans_per_request=made["spans"],
        logs_per_request=made["logs"],
        series=_series(found["series"]),
        spans_per_trace=found["spans_per_trace_fed"],
    )


def of_median(rows: Rows, field: str) -> float:
    """Return the median of a field over the windows of a run."""
    return float(median(row[field] for row in rows))


def _memory(windows: Mapping[str, Rows]) -> tuple[float, float]:
    """Return base and slope of the resident memory over the spans that wait."""
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
    """Return the memory that remembering makes, by the decisions made until each window."""
    remembers, forgets = found["rows"].values()
    seconds = found["window_seconds"]
    decided = (
        row["spans_per_second"] / spans_per_trace * (found["warm_seconds"] + (n + 0.5) * seconds)
        for n, row in enumerate(remembers)
    )
    return fmean(
        (one["rss_mb"] - other["rss_mb"]) * 1e6 / count
        for one, other, count in zip(remembers, forgets, decided, strict=True)
    )


def _queue_bytes(outage: Mapping[str, Any]) -> dict[str, float]:
    """Return bytes a kept span, a log record, and a series in a second."""
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
    )
