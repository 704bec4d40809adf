"""The figures as ratios, and their targets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.collector.compare import OURS, PEER

Figures = Mapping[str, Any]
SAME_JOBS = f"{PEER}, the same jobs"
MEMORY = ", queues in memory"


@dataclass(frozen=True)
class Target:
    """A measure, its value, and the bound: at most `limit`, or at least where `at_least`."""

    measure: str
    alternative: str
    value: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the value is within the bound."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def bound(self) -> str:
        """The bound as text."""
        word = "at least" if self.at_least else "at most"
        return f"{word} {self.limit:g}{self.unit}"


def of_median(rows: Figures, name: str, field: str = "us_per_span") -> float:
    """Return the median of a field over the runs of a name."""
    return float(median(row[field] for row in rows[name]))


def ratio(rows: Figures, name: str, other: str, field: str = "us_per_span") -> float:
    """Return the median over the rounds of one value divided by the other of the same round.

    Each round has its own quotient, because what else runs on the machine slows both.
    """
    pairs = zip(rows[name], rows[other], strict=True)
    return float(median(one[field] / two[field] for one, two in pairs))


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the ordered values lie."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def targets(found: Figures) -> list[Target]:
    """Return every measure that has a target."""
    parts: list[Callable[[Figures], list[Target]]] = [_producers, _peers, _queues, _time, _growth]
    return [target for part in parts for target in part(found)]


def _producers(found: Figures) -> list[Target]:
    other = "logfire SDK and prometheus_client"
    limits = {"in process": 0.30, "through a server": 0.25}
    return [
        Target(
            f"producer CPU per request, bare handler, {way}", other, figures["ratio"], limits[way]
        )
        for way, figures in found["producers"]["documents"].items()
    ]


def _peers(found: Figures) -> list[Target]:
    saturated, held = found["saturated"], found["held"]
    what = "collector CPU per span"
    # The peer makes no metrics, and loses what it holds when it is killed. Ours are made from a
    # copy of the spans, with a limit for each kind, and what the sampler holds is in files, too.
    return [
        Target(f"{what}, saturated", PEER, ratio(saturated, OURS, PEER), 2.6),
        Target(f"{what}, 10,000 spans/s", PEER, ratio(held, OURS, PEER), 2.8),
        Target(f"{what}, saturated", SAME_JOBS, ratio(saturated, OURS, SAME_JOBS), 1.2),
        Target(f"{what}, 10,000 spans/s", SAME_JOBS, ratio(held, OURS, SAME_JOBS), 1.2),
        Target("memory, 10,000 spans/s for 2 minutes", f"{PEER}, the same decision wait",
              ratio(held, OURS, PEER, "memory_mb"), 1.3),
    ]  # fmt: skip


def _queues(found: Figures) -> list[Target]:
    limits = {"production": 1.3, "development": 1.8}
    return [
        Target(f"queues on disk, {name}, {how}", "queues in memory",
              ratio(found[key], name, name + MEMORY), limit)
        for how, key in (("saturated", "saturated"), ("10,000 spans/s", "steady"))
        for name, limit in limits.items()
    ]  # fmt: skip


def _time(found: Figures) -> list[Target]:
    visible = found["visible_seconds"]
    what = "request to visible span, development"
    return [
        Target(f"{what}, p50", "-", percentile(visible, 0.50), 1, " s"),
        Target(f"{what}, p95", "-", percentile(visible, 0.95), 1, " s"),
        *(
            Target(f"drain after an outage, {name}", f"ingest of {drain['rate']:,.0f} spans/s",
                  drain["drained_per_second"] / drain["ingest_per_second"], 5, at_least=True)
            for name, drain in found["drain"].items()
        ),
    ]  # fmt: skip


def _growth(found: Figures) -> list[Target]:
    load, series = found["load"], found["series"]
    seconds = "CPU seconds per second"
    return [
        Target(f"{seconds}, 8 times the load", "the same, single load",
               8 * ratio(load, "8x", "1x"), 8.8),
        Target(f"{seconds}, 100 times the series", "the same, single number",
               ratio(series, "100x", "1x"), 100),
    ]  # fmt: skip
