"""The cost of scrubbing in CPU time per span: with the stage, without it, and part by part.

    python -m bench.redaction.measure [--rounds=60] [--spans=10000]

The same binary, spans and rounds for each variant, in an order that is drawn anew for each round: a
machine that slows down for a while slows all variants. Other load can only add to a reading: the
result is the mean of the lowest third.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from otelcol_runner.sender import Sender
from pytest_otelcol.collector import Collector, Otelcol

from bench.machine import cpu_seconds
from bench.redaction.stage import (
    SHARED,
    SPANS,
    Processors,
    body,
    config,
    growth,
    messages,
    sampled,
    shipped,
    variants,
)
from stack.paths import ROOT
from stack.tools import toolchain

FIGURES = ROOT / "docs" / "measurements" / "redaction.json"


def spent(collector: Collector, content: bytes, times: int) -> float:
    """Send the same export this many times and return the collector's CPU seconds."""
    before = cpu_seconds(collector.pid)
    for _ in range(times):
        Sender(collector.endpoint).post("/v1/traces", content)
    time.sleep(0.2)  # lets the garbage collector finish after the last request
    return cpu_seconds(collector.pid) - before


def collectors(
    stages: Mapping[str, Processors], stack: ExitStack
) -> Iterator[tuple[str, Collector]]:
    """Start a collector for each variant."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-redaction-")))
    otelcol = Otelcol(toolchain.collector())
    for number, (name, stage) in enumerate(stages.items()):
        path = folder / f"{number}.yaml"
        path.write_text(yaml.safe_dump(config(stage), width=10000))
        yield name, stack.enter_context(otelcol.run([path]))


def measure(
    stages: Mapping[str, Processors], content: bytes, rounds: int, spans: int
) -> dict[str, float]:
    """Return the CPU time of each variant in microseconds per span, measured in turns."""
    times = max(1, spans // SPANS)
    samples: dict[str, list[float]] = {name: [] for name in stages}
    with ExitStack() as stack:
        running = dict(collectors(stages, stack))
        for collector in running.values():
            spent(collector, content, 1)
        for number in range(rounds):
            order = random.Random(number).sample(list(running), len(running))  # noqa: S311
            for name in order:
                seconds = spent(running[name], content, times)
                samples[name].append(seconds / times / SPANS * 1e6)
    return {name: undisturbed(taken) for name, taken in samples.items()}


def undisturbed(readings: Sequence[float]) -> float:
    """Return the mean of the lowest third."""
    return statistics.fmean(sorted(readings)[: max(1, len(readings) // 3)])


def rounded(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures rounded to significant digits."""
    return {name: round(value, 1) for name, value in figures.items()}


def main() -> None:
    """Measure, and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--spans", type=int, default=10_000, help="in each reading")
    given = parser.parse_args()
    behind = {name: each for name, each in shipped().items() if name != SHARED}
    ends: dict[str, Processors] = {"no scrubbing": {}, "the whole stage": behind}
    found = {
        part: measure(stages, content, given.rounds, given.spans)
        for part, stages, content in (
            ("us_a_span", variants(), body()),
            ("us_a_span_a_resource_a_trace", ends, sampled()),
            ("us_a_message_by_tokens", growth(), messages()),
        )
    }
    text = json.dumps({part: rounded(each) for part, each in found.items()}, indent=1)
    FIGURES.write_text(f"{text}\n")
    print(f"wrote {FIGURES}: show it by `make generate`")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
