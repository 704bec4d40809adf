"""The plot of docs/performance.md: what a span costs, of what, and how that grows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.collector.growth import LOADS, ROUTES
from bench.report.reaches import of_median

OURS, OTHERS = "#3b6ea5", "#b8b8b8"


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Write the plot as SVG, the same bytes for the same figures."""
    mpl.rcParams["svg.hashsalt"] = "bench"
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    who, what, load, series = figure.subplots(1, 4, width_ratios=[1.5, 1.5, 1, 1])
    _bars(who, found["saturated"], "CPU per span, saturated (us)")
    _bars(what, found["stages"]["saturated"], "stage after stage (us)")
    rates = [of_median(found["load"], name, "spans_per_second") / 1000 for name in LOADS]
    _growth(load, found["load"], rates, "1,000 spans/s")
    _growth(series, found["series"], list(ROUTES.values()), "routes")
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def _bars(axes: Axes, rows: Mapping[str, Any], title: str) -> None:
    names = list(rows)
    colours = [OTHERS if name.startswith(("documented", "Open")) else OURS for name in names]
    bars = axes.barh(names, [of_median(rows, name) for name in names], color=colours)
    axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    _plain(axes, title)


def _growth(axes: Axes, rows: Mapping[str, Any], at: list[float], unit: str) -> None:
    cores = [
        of_median(rows, name) * of_median(rows, name, "spans_per_second") / 1e4 for name in rows
    ]
    axes.plot(at, cores, marker="o", color=OURS)
    if unit == "routes":
        axes.set_xscale("log")
    else:
        axes.plot(at, [cores[0] * x / at[0] for x in at], color=OTHERS, linestyle="--")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(unit, fontsize=8)
    _plain(axes, "% of a core")


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
