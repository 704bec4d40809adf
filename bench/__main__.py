"""`python -m bench`: measure everything, keep the figures, write the page and its plot."""

import argparse
import sys
import time
from typing import Any

from bench import compare, growth, journey
from bench.machine import describe
from bench.report import FIGURES, save, write

SPANS = 150_000  # of a saturated run


def say(line: str) -> None:
    """Tell on stderr how far it is."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the command's own output


def measure() -> dict[str, Any]:
    """Return all figures; it takes about ten minutes."""
    begun = time.monotonic()
    found: dict[str, Any] = {"machine": describe()}
    found["saturated"] = compare.in_turns(compare.contestants(), rounds=3, spans=SPANS, say=say)
    found["held"] = compare.held(windows=5, seconds=24, say=say)
    found["stages"] = compare.stages(rounds=2, spans=SPANS, windows=3, seconds=8, say=say)
    found["steady"] = compare.steady(windows=3, seconds=8, say=say)
    found["conditions"] = compare.conditions(windows=3, seconds=8, say=say)
    found["load"] = growth.load(windows=3, seconds=6, say=say)
    found["series"] = growth.series(windows=2, seconds=10, say=say)
    found["visible_seconds"] = journey.delays(seconds=25, say=say)
    found["drain"] = journey.drains(outage=40, say=say)
    found["minutes"] = round((time.monotonic() - begun) / 60, 1)
    return found


def main() -> None:
    """Measure, unless only the page is wanted; then write it."""
    parser = argparse.ArgumentParser(prog="bench", description="What the pipeline costs.")
    parser.add_argument("--page-only", action="store_true", help=f"write it from {FIGURES.name}")
    if not parser.parse_args().page_only:
        save(measure())
    for path in write():
        say(f"wrote {path}")


if __name__ == "__main__":
    main()
