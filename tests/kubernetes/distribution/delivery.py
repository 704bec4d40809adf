"""What agents accepted, and where it arrived."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sent:
    """A span that an agent accepted: its trace, the agent, and when (seconds since 1970)."""

    trace: str
    agent: int
    at: float


@dataclass
class Delivery:
    """What was accepted, and where it arrived.

    Attributes:
        spans: those accepted, by their id.
        logs: the bodies of those accepted.
        ends: by a span's id, the number of the gateway that each copy of it passed through.
        logged: how often each log record arrived.
        samples: how many samples were accepted.
        samples_lost: how many of those are missing.
    """

    spans: dict[str, Sent]
    logs: set[str]
    ends: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    logged: Counter[str] = field(default_factory=Counter)
    samples: int = 0
    samples_lost: int = 0

    @property
    def traces(self) -> set[str]:
        """The ids of all traces."""
        return {sent.trace for sent in self.spans.values()}

    @property
    def arrived(self) -> int:
        """The number of arrivals, minus the missing samples."""
        return sum(map(len, self.ends.values())) + self.logged.total() - self.samples_lost

    @property
    def lost(self) -> list[Sent]:
        """The spans that did not arrive."""
        return [sent for span, sent in self.spans.items() if span not in self.ends]

    @property
    def twice(self) -> int:
        """How many duplicates of spans arrived."""
        return sum(len(ends) - 1 for ends in self.ends.values())

    @property
    def copies(self) -> int:
        """The highest number of copies of one span."""
        return max(map(len, self.ends.values()))

    @property
    def split(self) -> dict[str, float]:
        """The traces whose spans passed through several gateways, and when each began."""
        through: dict[str, set[int]] = defaultdict(set)
        began: dict[str, float] = {}
        for span, sent in self.spans.items():
            through[sent.trace] |= set(self.ends.get(span, []))
            began[sent.trace] = min(sent.at, began.get(sent.trace, sent.at))
        return {trace: began[trace] for trace, ends in through.items() if len(ends) > 1}
