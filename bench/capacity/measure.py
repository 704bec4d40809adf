"""The basis of the capacity table and calculator: CPU, memory, queues, series, a request.

Each part is measured at one rate and duration, and again at others: the calculator's formulas,
which use only the first, are checked against the second (`tests/bench/test_capacity.py`).
"""

from typing import Any

from bench.capacity.outage import of_the_feeder, of_the_service
from bench.collector.compare import RATE, Say, side_by_side
from bench.collector.configs import Config, shipped
from bench.collector.spans import PER_TRACE
from bench.machine import describe

WAITS = (2.0, 30.0)  # seconds
WINDOW_RATE, REMEMBER_RATE = 4_000.0, 24_000.0  # spans a second
HELD = 0.9  # of a rate at least, or the run does not count
REMEMBERING, FORGETTING = "remembers decisions", "forgets decisions"


def measure(say: Say) -> dict[str, Any]:
    """Measure everything, in about eight minutes; no run takes longer than two."""
    machine, remembered = describe(), decisions(say)
    first, series = of_the_service(rate=30, seconds=20, percent=100, say=say)
    second, _ = of_the_service(rate=60, seconds=40, percent=50, say=say)
    return {
        "machine": machine,
        "spans_per_trace_fed": PER_TRACE,
        "series": series,
        "outage": first,
        "outage_again": second,
        "file": of_the_feeder(rate=2_000, seconds=20, say=say),
        "file_again": of_the_feeder(rate=RATE, seconds=30, say=say),
        "window": {f"{wait:g}": window(WINDOW_RATE, wait, say) for wait in WAITS},
        "window_again": window(RATE, WAITS[-1], say),
        "decisions": remembered,
    }


def window(rate: float, wait: float, say: Say) -> list[dict[str, float]]:
    """Feed only production until the sampler holds `wait` seconds of spans, then measure."""
    config = {"production": shipped("production")}
    return side_by_side(
        config, warm=wait + 8, windows=4, seconds=12, say=say, rate=rate, wait=wait
    )["production"]


def decisions(say: Say) -> dict[str, Any]:
    """Measure the cost of the decision cache, against a sampler with a cache of one.

    Raises:
        ValueError: the rate was not held, so that the number of decisions is unknown.
    """
    configs = {REMEMBERING: shipped("production"), FORGETTING: forgetful()}
    warm, seconds = 50.0, 5.0
    rows = side_by_side(configs, warm=warm, windows=3, seconds=seconds, say=say, rate=REMEMBER_RATE)
    slowest = min(row["spans_per_second"] for windows in rows.values() for row in windows)
    if slowest < HELD * REMEMBER_RATE:
        raise ValueError(f"{slowest:,.0f} spans/s of {REMEMBER_RATE:,.0f}: the machine is too busy")
    return {"warm_seconds": warm, "window_seconds": seconds, "rows": rows}


def forgetful() -> Config:
    """Return production with decision caches of one."""
    found = shipped("production")
    caches = found["processors"]["tail_sampling"]["decision_cache"]
    caches.update(dict.fromkeys(caches, 1))
    return found
