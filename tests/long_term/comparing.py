"""What a store answers to a query, compared with what Prometheus answers."""

import math
from dataclasses import dataclass
from statistics import median

import httpx

from tests.long_term.asked import Query
from tests.long_term.data import END
from tests.long_term.writing import NAME

SAME = "same"
EMPTY = "no data"
NOTHING = 1e-12  # a slope of zero, but for rounding
NEAR = 1e-6  # a sum of floating-point numbers depends on their order
Labels = frozenset[tuple[str, str]]
Points = dict[float, float]
Answer = dict[Labels, Points]


class AskError(ValueError):
    """A query was refused; the message is the server's."""


@dataclass(frozen=True)
class Asked:
    """A server with Prometheus' query API.

    Attributes:
        client: at its URL.
        without: labels that it adds to every series.
    """

    client: httpx.Client
    without: tuple[str, ...] = ()

    def answer(self, query: Query) -> Answer:
        """Return what is drawn: each series' values by their time; raises `AskError`."""
        times = {"start": END - query.length, "end": END, "step": query.step}
        said = self.client.post("/api/v1/query_range", data={"query": query.expr, **times}).json()
        if said["status"] != "success":
            raise AskError(said["error"])
        found: Answer = {}
        for series in said["data"]["result"]:
            labels = frozenset(
                (name, value)
                for name, value in series["metric"].items()
                if name not in self.without
            )
            points = {time: float(value) for time, value in series["values"]}
            found[labels] = {time: one for time, one in points.items() if not math.isnan(one)}
        return {labels: points for labels, points in found.items() if points}


def verdict(store: Asked, query: Query, expected: Answer) -> str:
    """Return in a few words in what the store's answer differs from Prometheus'."""
    try:
        found = store.answer(query)
    except AskError as error:
        return f"refused: {error}"
    if not (found or expected):
        return EMPTY
    named = found, expected
    found, expected = unnamed(found), unnamed(expected)
    differences = [
        "keeps the metric's name" if names_differ(*named) else "",
        in_series(found, expected),
        in_times(found, expected),
        in_values(found, expected),
    ]
    return "; ".join(filter(None, differences)) or SAME


def unnamed(answer: Answer) -> Answer:
    """Return the series without a metric's name, which no legend and no rule here uses."""
    bare = {labels - name_of(labels): points for labels, points in answer.items()}
    return bare if len(bare) == len(answer) else answer


def name_of(labels: Labels) -> Labels:
    return frozenset(label for label in labels if label[0] == NAME)


def names_differ(found: Answer, expected: Answer) -> bool:
    return bool(found and expected) and set(map(name_of, found)) != set(map(name_of, expected))


def in_series(found: Answer, expected: Answer) -> str:
    lacks, has = len(expected.keys() - found.keys()), len(found.keys() - expected.keys())
    said = [f"{lacks} of {len(expected)} series are missing"] if lacks else []
    return ", ".join(said + ([f"{has} other series"] if has else []))


def in_times(found: Answer, expected: Answer) -> str:
    """Compare when the series that both have are drawn."""
    both = found.keys() & expected.keys()
    lacks = sum(len(expected[one].keys() - found[one].keys()) for one in both)
    has = sum(len(found[one].keys() - expected[one].keys()) for one in both)
    total = sum(len(expected[one]) for one in both)
    said = [f"{lacks} of {total} points are missing"] if lacks else []
    return ", ".join(said + ([f"{has} more points"] if has else []))


def in_values(found: Answer, expected: Answer) -> str:
    """Compare the values that both have, by the largest difference relative to the larger value."""
    pairs = [
        (found[one][time], expected[one][time])
        for one in found.keys() & expected.keys()
        for time in found[one].keys() & expected[one].keys()
    ]
    apart = [difference(*pair) for pair in pairs]
    far = sorted(one for one in apart if one > NEAR)
    if not far:
        return ""
    share = f"{len(far)} of {len(pairs)} values" if len(far) < len(pairs) else "all values"
    return f"{share} differ: {percent(median(far))} at the median, {percent(far[-1])} at most"


def difference(one: float, other: float) -> float:
    if one == other or abs(one - other) < NOTHING:
        return 0.0
    return abs(one - other) / max(abs(one), abs(other)) if math.isfinite(one - other) else math.inf


def percent(share: float) -> str:
    return f"{share:.1%}" if math.isfinite(share) else "infinity"
