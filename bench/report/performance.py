"""The page of costs, from the stored figures."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.collector.compare import BUSY, HOWS, OURS, PEER, RATE
from bench.figures import load
from bench.machine import in_words
from bench.report.plot import drawn
from bench.report.producers import table as producer_tables
from bench.report.targets import (
    SAME_JOBS,
    Target,
    of_median,
    percentile,
    ratio,
    targets,
)
from bench.report.words import DOES, HEAD, HOW, PRODUCERS, REMEDY, STAGES, STEADY
from generate.markdown import table
from stack.paths import ROOT

FOLDER = ROOT / "docs" / "generated"
PAGE, PLOT = FOLDER / "performance.md", FOLDER / "performance.svg"
Found = Mapping[str, Any]


def files() -> dict[Path, str]:
    """Return the page and its plot."""
    found = load()
    return {PAGE: page(found), PLOT: drawn(found)}


def page(found: Found) -> str:
    parts = [
        HEAD,
        summary(found),
        "## Targets",
        target_table(targets(found)),
        f"![CPU per span, its stages, and its growth]({PLOT.name})",
        "## Comparison",
        comparison_table(found),
        "## Cost by stage",
        *stage_note(found),
        stage_table(found["stages"]),
        STEADY,
        condition_table(found),
        REMEDY,
        "## The service itself",
        PRODUCERS,
        producer_tables(found["producers"]),
        "## Growth",
        growth_table(found),
        "## How it was measured",
        HOW.format(alone=taken_alone(found)),
        machine(found),
    ]
    return "\n\n".join(parts) + "\n"


def summary(found: Found) -> str:
    """Return a summary of the costs in one paragraph."""
    held, visible = found["held"], found["visible_seconds"]
    ours = of_median(held, OURS)
    return (
        f"In production, with everything on, the collector spends {ours:.0f} us of CPU per span "
        f"at 10,000 spans a second: {ours * RATE / 1e6:.0%} of one core, "
        f"{ratio(held, OURS, PEER):.2f} times what Logfire's documented configuration spends "
        f"on the same binary, and {ratio(held, OURS, SAME_JOBS):.2f} times that configuration "
        f"with the same jobs added. It takes {of_median(held, OURS, 'memory_mb'):,.0f} MB at that "
        f"rate, because the sampler holds traces for 30 s "
        f"({ratio(held, OURS, PEER, 'memory_mb'):.2f} times the peer). In development a request's "
        f"last span can be queried after {percentile(visible, 0.5):.1f} s "
        f"(p95 {percentile(visible, 0.95):.1f} s)."
    )


def target_table(found: Iterable[Target]) -> str:
    """Return measures, ratios and bounds."""
    rows = [
        [item.measure, item.alternative, f"{item.value:.2f}{item.unit}", item.bound,
         "met" if item.met else "**missed**"]
        for item in found
    ]  # fmt: skip
    return table(["measure", "compared with", "figure", "target", ""], rows)


def comparison_table(found: Found) -> str:
    """Return what each configuration does and costs."""
    saturated, steady = found["saturated"], {**found["steady"], **found["held"]}
    rows = [
        [name, DOES[name], *_cells(saturated, name), f"{of_median(steady, name):.1f}"]
        for name in saturated
    ]
    head = ["configuration", "what it does", "us per span, saturated", "spans/s", "us at 10,000/s"]
    return table(head, rows)


def stage_table(stages: Found) -> str:
    """Return what each stage adds."""
    rows: list[list[str]] = []
    before = {"saturated": 0.0, "steady": 0.0}
    for name in stages["saturated"]:
        cells = [name if not rows else f"+ {name}"]
        for how, rest in before.items():
            value = of_median(stages[how], name)
            cells += [f"{value:.1f}", f"{value - rest:+.1f}" if rest else ""]
            before[how] = value
        rows.append(cells)
    return table(["stage", "us saturated", "adds", "us at 10,000/s", "adds"], rows)


def stage_note(found: Found) -> list[str]:
    """Explain why the last stage's figure differs from production's in the table above."""
    if "stages" not in found["alone"]:
        return []
    steps = found["stages"]["saturated"]
    whole = of_median(steps, list(steps)[-1])
    return [STAGES.format(whole=whole, beside=of_median(found["saturated"], OURS))]


def taken_alone(found: Found) -> str:
    """Say which parts were measured in another run."""
    return " and ".join(found["alone"]) or "none"


def condition_table(found: Found) -> str:
    """Return the cost of small requests and of garbage collection, ours and the peer's."""
    rows = []
    for how in HOWS:
        cells = [how if how == BUSY else f"the same, {how}"]
        values = [of_median(found["conditions"], f"{name}, {how}") for name in (OURS, PEER)]
        rows.append([*cells, *(f"{value:.1f}" for value in values)])
    held = [f"{of_median(found['held'], name):.1f}" for name in (OURS, PEER)]
    rows.append(["the same, traces held for 30 s instead of 1 s", *held])
    return table(["10,000 spans/s, us per span", OURS, PEER], rows)


def growth_table(found: Found) -> str:
    """Return the cost at each load and number of series."""
    rows = [
        [f"{kind}, {name}", f"{of_median(found[kind], name, 'spans_per_second'):,.0f}",
         f"{of_median(found[kind], name):.1f}", f"{of_median(found[kind], name, 'rss_mb'):.0f}"]
        for kind in ("load", "series")
        for name in found[kind]
    ]  # fmt: skip
    return table(["", "spans/s", "us per span", "MB"], rows)


def machine(found: Found) -> str:
    """Say on which machine, how often and how long it was measured."""
    own, drains = found["machine"], found["drain"]
    runs = sum(map(len, found["saturated"].values()))
    spans = sum(row["spans"] for rows in found["saturated"].values() for row in rows)
    return (
        f"This run: {in_words(own)}, load average {own['load_average_before']} before it; "
        f"collector {own['collector_version']} of lock {own['collector']}, Python {own['python']}; "
        f"{found['minutes']} minutes, {runs} saturated runs with {spans:,} spans, "
        f"{len(found['visible_seconds'])} tasks followed, backlogs of "
        + " and ".join(f"{item['backlog_mb']:g} MB ({name})" for name, item in drains.items())
        + " drained."
    )


def _cells(rows: Found, name: str) -> list[str]:
    rate = of_median(rows, name, "spans_per_second")
    return [f"{of_median(rows, name):.1f}", f"{rate:,.0f}"]
