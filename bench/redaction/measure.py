"""What scrubbing costs, in CPU time a span: the stage with, without, and part by part.

    python -m bench.redaction [--rounds=21] [--spans=40000]

The same binary, spans and rounds for each variant, in turn. A neighbour on the machine can only add
to a reading, never take from it: the tables in docs/redaction.md hold the mean of the lowest third.
"""

import argparse
import re
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
    COPIES,
    NONE,
    SHARED,
    SPANS,
    Processors,
    body,
    config,
    patterns,
    sampled,
    shipped,
    variants,
)
from stack.paths import ROOT
from stack.tools import toolchain

PAGE = ROOT / "docs" / "redaction.md"
BEGIN = "<!-- written by `python -m bench.redaction` from here -->"
PIPE = "\\|"  # in a Markdown table


def spent(collector: Collector, content: bytes, times: int) -> float:
    """Send the same export this often and return the collector's CPU seconds."""
    before = cpu_seconds(collector.pid)
    for _ in range(times):
        Sender(collector.endpoint).post("/v1/traces", content)
    time.sleep(0.2)  # what the last request leaves to the garbage collector
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
    """Return the CPU time in microseconds a span of each variant, taken in turn."""
    times = max(1, spans // SPANS)
    samples: dict[str, list[float]] = {name: [] for name in stages}
    with ExitStack() as stack:
        running = dict(collectors(stages, stack))
        for collector in running.values():
            spent(collector, content, 1)
        for _ in range(rounds):
            for name, collector in running.items():
                seconds = spent(collector, content, times)
                samples[name].append(seconds / times / SPANS * 1e6)
    return {name: undisturbed(taken) for name, taken in samples.items()}


def undisturbed(readings: Sequence[float]) -> float:
    """Return the mean of the lowest third."""
    return statistics.fmean(sorted(readings)[: max(1, len(readings) // 3)])


def table(figures: Mapping[str, float]) -> str:
    """Return the figures as Markdown; `more` is over no scrubbing."""
    base = figures["no scrubbing"]
    rows = [f"| {name} | {us:.1f} | {us - base:+.1f} |" for name, us in figures.items()]
    return "\n".join(["| variant | us a span | more |", "| --- | --- | --- |", *rows])


def pattern_table(figures: Mapping[str, float]) -> str:
    """Return what each pattern adds, in nanoseconds a span, the dearest first."""
    base = figures[NONE]
    added = {name: (us - base) / COPIES * 1000 for name, us in figures.items() if name != NONE}
    dearest = sorted(added.items(), key=lambda item: -item[1])
    rows = [f"| {ns:.0f} | `{name.replace('|', PIPE)}` |" for name, ns in dearest]
    return "\n".join(["| ns a span | pattern |", "| --- | --- |", *rows])


def whole(rounds: int, spans: int) -> str:
    """Return the table of the stage and its parts, and of the stage behind a sampler."""
    figures = measure(variants(), body(), rounds, spans)
    behind = {name: each for name, each in shipped().items() if name != SHARED}
    ends: dict[str, Processors] = {"no scrubbing": {}, "the whole stage": behind}
    alone = measure(ends, sampled(), rounds, spans)
    lines = table(alone).splitlines()[2:]
    named = [re.sub(r"^\| (.*?) \|", r"| \1, a resource a trace |", line) for line in lines]
    return "\n".join([table(figures), *named])


def main() -> None:
    """Measure, and write the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--spans", type=int, default=40_000, help="in each reading")
    given = parser.parse_args()
    stage = whole(given.rounds, given.spans)
    each = pattern_table(measure(patterns(), body(), given.rounds, given.spans // 4))
    head = PAGE.read_text().split(BEGIN)[0]
    PAGE.write_text(f"{head}{BEGIN}\n\n{stage}\n\n{each}\n")
    print(stage)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
