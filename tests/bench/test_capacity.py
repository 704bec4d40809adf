"""The calculator against runs other than those its constants come from, and against a collector."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import pytest

from bench.capacity.measure import REMEMBERING
from bench.capacity.outage import filled
from bench.collector.compare import DECISION_WAIT, OURS
from bench.collector.configs import shipped
from bench.collector.growth import LOADS
from bench.collector.measure import bed
from bench.collector.spans import PER_TRACE, TRACES
from bench.figures import load
from bench.report.capacity import asked
from stack.capacity.demand import Demand, kept_share
from stack.capacity.figures import Measured, constants, measured, of_median
from stack.capacity.model import (
    FILE_STEP,
    HOUR,
    cpu_cores,
    disk_bytes,
    memory_bytes,
    queue_bytes,
)
from stack.capacity.shipped import Limits, limits

ALWAYS = 100 * 2 / TRACES  # percent of the feeder's traces: one fails, one is slow
NEAR = 0.15
Found = Mapping[str, Any]


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return load()


@pytest.fixture(scope="module")
def known() -> Measured:
    return measured()


@pytest.fixture(scope="module")
def limited() -> Limits:
    return limits()


def fed(known: Measured, limited: Limits, spans_per_second: float, **more: float) -> Demand:
    """The feeder's load: traces of eight spans at a rate."""
    options = {"spans_per_request": PER_TRACE, "sample_percent": 10.0, "always_percent": ALWAYS}
    rate = spans_per_second / PER_TRACE
    return asked(known, limited, **{**options, "requests_per_second": rate, **more})


def at(figures: Found, path: Sequence[str]) -> list[dict[str, float]]:
    """The rows of a run, by the keys that lead to it."""
    found: Any = figures
    for key in path:
        found = found[key]
    rows: list[dict[str, float]] = found
    return rows


def test_queue_sizes_of_another_outage_are_as_calculated(
    figures: Found, known: Measured, limited: Limits
) -> None:
    run, constant = figures["capacity"]["outage_again"], figures["capacity"]["outage"]
    assert (run["percent"], run["seconds"]) != (constant["percent"], constant["seconds"])
    demand = asked(
        known,
        limited,
        requests_per_second=run["requests"] / run["seconds"],
        outage_hours=run["seconds"] / HOUR,
        sample_percent=run["percent"],
        always_percent=0.0,
    )
    assert queue_bytes(demand, known, run["series"]) == pytest.approx(run["queue_bytes"], rel=NEAR)


def test_a_larger_backlog_and_its_file_are_as_calculated(
    figures: Found, known: Measured, limited: Limits
) -> None:
    run, drained = figures["capacity"]["file_again"], figures["drain"][OURS]
    rate = run["accepted"]["spans"] / run["seconds"]
    calculated = queue_bytes(
        fed(known, limited, rate, outage_hours=run["seconds"] / HOUR), known, 0
    )
    assert calculated["traces"] == pytest.approx(run["queue_bytes"]["traces"], rel=NEAR)
    disk = disk_bytes({"traces": calculated["traces"]}, known) - FILE_STEP
    # Free pages weigh more in the small file that the factor is from: more than needed is well.
    least, most = (share * run["disk_bytes"]["traces"] for share in (1 - NEAR, 1 + 2 * NEAR))
    assert least <= disk <= most
    hours = drained["outage_seconds"] / HOUR
    earlier = queue_bytes(fed(known, limited, drained["rate"], outage_hours=hours), known, 0)
    assert earlier["traces"] == pytest.approx(drained["backlog_mb"] * 1e6, rel=NEAR)


@pytest.mark.parametrize(
    ("path", "wait", "warm"),
    [
        (("held", OURS), DECISION_WAIT, DECISION_WAIT + 10),  # seconds before the first window
        (("capacity", "window_again"), DECISION_WAIT, DECISION_WAIT + 8),
        (("capacity", "decisions", "rows", REMEMBERING), 1.0, 50.0),
        *((("load", name), 1.0, 6.0) for name in LOADS),
    ],
)
def test_memory_at_other_rates_and_waits_is_as_calculated(
    figures: Found,
    known: Measured,
    limited: Limits,
    path: tuple[str, ...],
    wait: float,
    warm: float,
) -> None:
    for number, row in enumerate(at(figures, path)):
        ran = warm + (number + 0.5) * row["spans"] / row["spans_per_second"]
        demand = fed(known, limited, row["spans_per_second"], decision_wait=wait)
        calculated = memory_bytes(demand, known, limited, 1.0, seconds=ran)
        assert calculated == pytest.approx(row["rss_mb"] * 1e6, rel=NEAR)


def test_cpu_at_other_rates_is_as_calculated(figures: Found, known: Measured) -> None:
    runs = [figures["capacity"]["window_again"], *figures["load"].values()]
    for rows in runs:
        rate = of_median(rows, "spans_per_second")
        spent = fmean(row["us_per_span"] for row in rows) * rate / 1e6
        assert cpu_cores(rate, known) == pytest.approx(spent, rel=0.25)


def test_the_sampler_keeps_the_calculated_share(figures: Found) -> None:
    rows = figures["held"][OURS]
    kept = sum(row["delivered"] for row in rows) / sum(row["spans"] for row in rows)
    assert kept_share(10.0, ALWAYS) == pytest.approx(kept, rel=0.05)


@pytest.mark.parametrize(
    ("part", "field", "constant"),
    [
        ("window", "us_per_span", "cpu_us_per_span"),
        ("window", "rss_mb", "bytes_per_undecided_span"),
    ],
)
def test_the_constants_come_from_the_measurements(
    figures: Found, known: Measured, part: str, field: str, constant: str
) -> None:
    taken = figures["capacity"]
    dearer = {
        wait: [row | {field: row[field] * 2} for row in rows] for wait, rows in taken[part].items()
    }
    other = constants({**figures, "capacity": {**taken, part: dearer}})
    assert getattr(other, constant) == pytest.approx(2 * getattr(known, constant))


def test_a_queue_fills_as_calculated(known: Measured, limited: Limits) -> None:
    with bed(shipped("production"), {"TRACE_SAMPLE_PERCENT": "50"}) as under:
        run = filled(under, rate=6_000, seconds=2)
    lasted, sent = run["seconds"], run["accepted"]["spans"]
    demand = fed(known, limited, sent / lasted, sample_percent=50.0, outage_hours=lasted / HOUR)
    calculated = queue_bytes(demand, known, 0)
    queue, file = (run[name]["traces"] for name in ("queue_bytes", "disk_bytes"))
    assert calculated["traces"] == pytest.approx(queue, rel=NEAR)
    assert queue < file < disk_bytes({"traces": calculated["traces"]}, known)
