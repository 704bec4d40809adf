"""The scenarios with gateways and their outcomes: the rows of docs/generated/scale.md."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.support.outcome import STATED, Outcome, Row
from tests.kubernetes.distribution.delivery import Delivery
from tests.kubernetes.distribution.fleet import Fleet
from tests.kubernetes.distribution.traffic import Traffic
from tests.support.ledger import Hop, Line, assert_balanced

WAIT = 30.0 if STATED else 3.0  # seconds of decision wait: as shipped, or short
PHASE = 4.0  # seconds of traffic before and after each change
APART = 5.0  # seconds; longer than a trace takes from its first span to its last gateway
A_SECOND = 160.0  # spans, and log records, of the traffic: the most that a kill hides
COPIES = 3  # of a span at most: one more for every 10 s in which agents know a dead gateway
OVERLAY = "production"
EXACT = ("logs", "samples")
WIRE: Hop = ("traces", "otlp/agents")

STEADY = Row(
    "none; 10 % sampled",
    OVERLAY,
    "each trace is decided once, all of it arrives or nothing; each request is counted once",
    stated=0,
    short=0,
    none_twice=("spans", "logs"),
)
KILLED = Row(
    "one killed with `kill -9`, while Logfire refuses what it sends; back later on its volume",
    OVERLAY,
    "0 lost; its share moves, its queue drains, and its sampling window is replayed",
    stated=0,
    short=0,
    none_twice=(),
)
JOINED = Row(
    "a fourth joins",
    OVERLAY,
    "0 lost, 0 duplicated; split are only traces that were on their way until all agents knew",
    stated=0,
    short=0,
    none_twice=("spans", "logs"),
)
ROLLED = Row(
    "orderly restart of all three, one after the other, each at a new address",
    OVERLAY,
    "0 lost",
    stated=0,
    short=0,
    none_twice=("logs",),
)
ROWS = (STEADY, KILLED, JOINED, ROLLED)


@dataclass
class Run:
    """A fleet under traffic."""

    fleet: Fleet
    traffic: Traffic

    def go_on(self, seconds: float = PHASE) -> None:
        """Let the traffic run for the length of a phase: not a wait for a result."""
        time.sleep(seconds)

    def finish(self, slack: float = 0.0) -> tuple[Delivery, dict[Hop, Line]]:
        """Settle, and compare the ledger of both hops with what arrived."""
        found = self.fleet.settle(self.traffic)
        assert found.copies <= COPIES, f"a span came {found.copies} times"
        lost, twice, spans = len(found.lost), found.twice, len(found.spans)
        taken = {"spans": 2 * spans + twice, "logs": 2 * len(found.logs)}
        lines = assert_balanced(
            self.fleet.ledger.url,
            taken,
            {"spans": lost, "logs": 0},
            unaccounted=slack,
            beside={WIRE: -twice},
        )
        return found, lines


def outcome(found: Delivery, note: str, lost: Mapping[str, int] | None = None) -> Outcome:
    """Return what a run measured; `lost` adds to or replaces the counts of losses."""
    logs_lost = len(found.logs - found.logged.keys())
    return Outcome(
        sent={"spans": len(found.spans), "logs": len(found.logs), "samples": found.samples},
        lost={"spans": len(found.lost), "logs": logs_lost, "samples": found.samples_lost}
        | dict(lost or {}),
        duplicated={"spans": found.twice, "logs": found.logged.total() - len(found.logged)},
        note=note,
    )


def split(found: Delivery, since: float, until: float) -> str:
    """Say how many traces passed through several gateways, and when they began."""
    begun = sorted(found.split.values())
    assert not begun or since - APART < begun[0] <= begun[-1] < until
    when = f", begun from {begun[0] - since:+.1f} s to {begun[-1] - since:+.1f} s" if begun else ""
    return f"{len(begun):,} of {len(found.traces):,} traces split{when}"
