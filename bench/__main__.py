"""`python -m bench`: measure everything and store the figures, which `make generate` shows."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.capacity import measure as capacity
from bench.collector import compare, growth, journey
from bench.figures import FIGURES, load, save
from bench.machine import describe
from bench.producers import measure as producers

SPANS = 150_000  # of a saturated run


def say(line: str) -> None:
    """Report the progress on stderr."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is a command


MEASURES: dict[str, Callable[[], Any]] = {
    "machine": describe,
    "saturated": lambda: compare.in_turns(compare.contestants(), rounds=3, spans=SPANS, say=say),
    "held": lambda: compare.held(windows=5, seconds=24, say=say),
    "stages": lambda: compare.stages(rounds=2, spans=SPANS, windows=3, seconds=8, say=say),
    "steady": lambda: compare.steady(windows=3, seconds=8, say=say),
    "conditions": lambda: compare.conditions(windows=3, seconds=8, say=say),
    "load": lambda: growth.load(windows=3, seconds=6, say=say),
    "series": lambda: growth.series(windows=2, seconds=10, say=say),
    "visible_seconds": lambda: journey.delays(seconds=25, say=say),
    "drain": lambda: journey.drains(outage=40, say=say),
    "producers": lambda: producers.measure(runs=3, requests=1000),
    "capacity": lambda: capacity.measure(say),
}


def measure() -> None:
    """Take all figures, in about 25 minutes; those already taken survive a later failure."""
    begun = time.monotonic()
    for name, take in MEASURES.items():
        say(f"-- {name}")
        remeasure(name, take)
    save(load() | {"minutes": round((time.monotonic() - begun) / 60, 1), "alone": []})


def remeasure(name: str, take: Callable[[], Any]) -> None:
    """Repeat one measurement and store it with the others."""
    save(load() | {name: take()})


def main() -> None:
    """Measure everything, or one part."""
    parser = argparse.ArgumentParser(prog="bench", description="What the pipeline costs.")
    parser.add_argument("--only", choices=MEASURES, help="repeat only this measurement")
    given = parser.parse_args()
    if given.only:
        remeasure(given.only, MEASURES[given.only])
        save(load() | {"alone": sorted({*load()["alone"], given.only})})
    else:
        measure()
    say(f"wrote {FIGURES}: show them by `make generate`")


if __name__ == "__main__":
    main()
