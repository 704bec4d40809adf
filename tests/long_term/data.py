"""Series for all queries: their names, labels and values are made from the queries themselves.

Every metric that a query reads gets the labels that a query needs of it, with the values that a
query names. Counters grow in whole steps, some start again at zero; gauges move; and some series
end or begin within the time that the queries ask for, as those of replaced processes do.
"""

import math
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from tests.long_term.asked import A_DAY, A_MINUTE, AN_HOUR, Query
from tests.long_term.writing import NAME, Written, request
from tests.support.promql import Node, ask, series_of

END = 1_767_614_400  # 2026-01-05 12:00 UTC: the same time gives the same figures in every run
HOURS, DAYS = 9 * AN_HOUR, 31 * A_DAY  # the most for windows of hours, and of weeks
OF_A_DAY = 2 * AN_HOUR  # for windows of a day: its first hours would change little
STEP, LONG_STEP = 15, 240  # seconds between their samples
COUNTER = re.compile(r"^[a-z]\w*_(total|bucket|count|sum)$")
STAMP, RATIO = re.compile("[_:]timestamp$"), re.compile("ratio")
LIMIT = re.compile("_(capacity|max|maxmemory_bytes)$")
LE = ("0.1", "0.5", "1", "2", "+Inf")
# Labels of which no query names a value, or whose values have to be real ones.
VALUES = {
    "le": LE,
    "http_route": ("/v1/traces",),
    "rpc_method": ("opentelemetry.proto.collector.trace.v1.TraceService/Export",),
    "instance": ("a", "b"),
}
OTHERS = ("x", "y")
SEVERAL = 3  # values of a label that queries name, at most


@dataclass
class Metric:
    """What the queries need of a metric.

    Attributes:
        labels: the labels that its series need.
        named: the values that matchers name.
        reach: how far back the queries look, in seconds.
    """

    labels: set[str] = field(default_factory=set)
    named: dict[str, set[str]] = field(default_factory=dict)
    reach: float = 0


def metrics_of(queries: Iterable[Query], url: str) -> dict[str, Metric]:
    """Return the metrics that queries read; the Prometheus at this URL parses them."""
    found: dict[str, Metric] = {}
    for query in queries:
        for series in series_of(query.expr, url):
            found.setdefault(series.name, Metric()).labels |= series.labels
        tree = ask(f"{url}/api/v1/parse_query", query.expr)["data"]
        for reach, selector in selectors(tree, query.length):
            metric = found[selector["name"]]
            metric.reach = max(metric.reach, reach)
            for matcher in selector["matchers"]:
                if matcher["name"] != NAME and matcher["value"] not in {"", ".*"}:
                    named = metric.named.setdefault(matcher["name"], set())
                    named |= values_of(matcher["type"], matcher["value"])
    return found


def selectors(node: object, reach: float) -> Iterator[tuple[float, Node]]:
    """Yield each selector with how far back it reads, in seconds."""
    if isinstance(node, list):
        for part in node:
            yield from selectors(part, reach)
    elif isinstance(node, dict):
        further = reach + (node.get("range", 0) + node.get("offset", 0)) / 1000
        if node.get("type") in {"vectorSelector", "matrixSelector"}:
            yield further, node
        for part in node.values():
            yield from selectors(part, further)


def values_of(kind: str, value: str) -> set[str]:
    return {value} if kind in {"=", "!="} else set(examples(value))


TOKENS = re.compile(r"\[(.)[^]]*\]|\.\+|\.\*|\.")
GROUP = re.compile(r"\((?:\?:)?([^()]*)\)(\??)")


def examples(pattern: str) -> list[str]:
    """Return a text for each alternative of a regular expression, as simple as those here are.

    Raises:
        AssertionError: one does not match.
    """
    special = {".+": "x", ".*": "", ".": "0"}
    text = TOKENS.sub(lambda found: found[1] or special[found[0]], pattern)
    while GROUP.search(text):
        text = GROUP.sub(lambda found: "" if found[2] else found[1].split("|")[0], text)
    made = re.sub(r".\?", "", text).split("|")
    assert all(re.fullmatch(pattern, one) for one in made), (pattern, made)
    return made


def labelled(metrics: dict[str, Metric]) -> Iterator[tuple[dict[str, str], Metric]]:
    """Yield the labels of every series with its metric."""
    every: dict[str, set[str]] = {}
    for metric in metrics.values():
        for label, values in metric.named.items():
            every.setdefault(label, set()).update(values)
    for name, metric in sorted(metrics.items()):
        choices = {
            label: choice(label, metric.named.get(label, set()), every.get(label, set()))
            for label in sorted(metric.labels | metric.named.keys())
        }
        for chosen in product(*choices.values()):
            yield {NAME: name, **dict(zip(choices, chosen, strict=True))}, metric


def choice(label: str, own: set[str], every: set[str]) -> list[str]:
    """Return the values of a label: those that queries of its metric name, of others, or any."""
    if label in VALUES:
        return list(dict.fromkeys([*VALUES[label], *sorted(own)]))
    others = [*sorted(every), *OTHERS]
    return (
        sorted(own) + [value for value in others if value not in own][: max(0, SEVERAL - len(own))]
    )


@dataclass(frozen=True)
class Wave:
    """How a series moves; the same for all buckets of a histogram."""

    labels: dict[str, str]
    number: int
    length: int

    @property
    def long(self) -> bool:
        """Whether it reaches over weeks."""
        return self.length > HOURS

    @property
    def name(self) -> str:
        return self.labels[NAME]

    @cached_property
    def kind(self) -> str:
        """What its values are, by the end of its name."""
        kinds = {"counter": COUNTER, "timestamp": STAMP, "limit": LIMIT, "ratio": RATIO}
        return next((kind for kind, name in kinds.items() if name.search(self.name)), "gauge")

    @cached_property
    def since(self) -> int:
        """The time of its first sample, at most."""
        return END - (20 * A_MINUTE if self.number % 9 == 1 and not self.long else self.length)

    @property
    def until(self) -> int:
        return END - 10 * A_MINUTE if self.number % 9 == 2 and not self.long else END

    def at(self, moment: float) -> float:
        """Return the value at a time."""
        age = moment - (END - DAYS)
        turn = math.sin(2 * math.pi * age / (300 + self.number % 1500) + self.number)
        match self.kind:
            case "counter":
                return self._counted(moment, age, turn)
            case "timestamp":
                return float(int(moment))
            case "limit":
                return float(self.number % 97 + 3) * 2
            case "ratio":
                return round(0.5 + 0.5 * turn, 4)
        return float(int((self.number % 97 + 3) * (1.01 + turn)))

    def _counted(self, moment: float, age: float, turn: float) -> float:
        rate = (self.number % 50 + 1) / 10
        again = END - 15 * A_MINUTE
        begun = again - (END - DAYS) if self.number % 5 == 3 and moment >= again else 0
        share = (LE.index(self.labels["le"]) + 1) / len(LE) if "le" in self.labels else 1
        return float(int(rate * share * (age - begun + 20 * (1 + turn))))


def waves(metrics: dict[str, Metric]) -> list[Wave]:
    found = []
    for labels, metric in labelled(metrics):
        base = {name: value for name, value in labels.items() if name != "le"}
        number = zlib.crc32(repr(sorted(base.items())).encode())
        found.append(Wave(labels, number, length_of(metric.reach)))
    return found


def length_of(reach: float) -> int:
    """Return how many seconds there are of a metric that queries read so far back."""
    enough = math.ceil(reach) + AN_HOUR // 2
    return OF_A_DAY if HOURS < enough <= A_DAY + AN_HOUR else enough


def requests(found: list[Wave]) -> Iterator[bytes]:
    """Yield requests of remote write, of an hour each and of half an hour at the end, in order."""
    begin = END - DAYS
    while begin < END:
        end = min(begin + (AN_HOUR if begin < END - HOURS else 30 * A_MINUTE), END)
        there = (wave for wave in found if wave.since < end)
        series = (Written(wave.labels, samples(wave, begin, end)) for wave in there)
        if some := [one for one in series if one.samples]:
            yield request(some)
        begin = end


def samples(wave: Wave, begin: int, end: int) -> list[tuple[int, float]]:
    """Return the samples of a time that ends before `end`: each series has moments of its own."""
    step = LONG_STEP if wave.long else STEP
    first = max(begin, wave.since)
    shift = wave.number % (step * 1000)
    moments = (second * 1000 + shift for second in range(-(-first // step) * step, end, step))
    last = min(end, wave.until) * 1000
    return [(moment, wave.at(moment / 1000)) for moment in moments if moment < last]
