"""The outcome of a fault: its row in the table, what was measured, and where it is stored."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

Counts = dict[str, int]  # by what is counted: {"spans": 12000, "logs": 12000, "samples": 120}
ALL = ("spans", "logs", "samples")
STATED = os.environ.get("FAULTS_OUTAGES") == "stated"  # as in `make faults`; otherwise short ones


@dataclass(frozen=True)
class Row:
    """A promise: under this fault these counts stay zero.

    Attributes:
        fault: what happens; `{seconds}` becomes the outage's length.
        environment: the collector's, a file of `collector/environments/`.
        must_hold: the promise in words.
        stated: seconds of the outage in `make faults`, which the docs name.
        short: seconds of the outage in `make test`.
        none_lost: what must not get lost.
        none_twice: what must not arrive twice.
    """

    fault: str
    environment: str
    must_hold: str
    stated: float
    short: float
    none_lost: tuple[str, ...] = ALL
    none_twice: tuple[str, ...] = ALL

    @property
    def seconds(self) -> float:
        """The outage's length in this run."""
        return self.stated if STATED else self.short

    @property
    def title(self) -> str:
        """The fault as the docs name it."""
        return self.fault.format(seconds=f"{self.stated:g} s")

    @property
    def key(self) -> tuple[str, str]:
        """What identifies a row."""
        return self.title, self.environment

    @property
    def file(self) -> str:
        """The name of the file with its outcome."""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.title} {self.environment}".lower()) + ".json"


@dataclass(frozen=True)
class Outcome:
    """What one run of a row measured.

    Attributes:
        sent: what the producer made.
        lost: what it made and no backend has.
        duplicated: what a backend has more than once (a count of the surplus).
        gap: the longest time between two samples of one series, in seconds.
        drain: from the fault's end until all that was made before it had arrived, in seconds.
        note: what else the run showed, in a few words with figures.
    """

    sent: Counts
    lost: Counts
    duplicated: Counts
    gap: float | None = None
    drain: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Recorded:
    """A row's name with its outcome, as it is written to a file."""

    fault: str
    environment: str
    outcome: Outcome
    stated: bool

    @classmethod
    def of(cls, row: Row, outcome: Outcome, stated: bool = STATED) -> Self:
        """Combine a row and its outcome; `stated` tells which outages it had."""
        return cls(row.title, row.environment, outcome, stated)

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Self:
        """Return what a run wrote."""
        return cls(**{**found, "outcome": Outcome(**found["outcome"])})


def record(row: Row, outcome: Outcome) -> None:
    """Write the outcome to the folder FAULTS_RECORD, if set, and check the promise.

    Raises:
        AssertionError: something was lost or duplicated that must not be.
    """
    if into := os.environ.get("FAULTS_RECORD"):
        Path(into).mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(Recorded.of(row, outcome)), indent=2)
        (Path(into) / row.file).write_text(f"{text}\n")
    check(row, outcome)


def check(row: Row, outcome: Outcome) -> None:
    """Raise `AssertionError` unless the outcome keeps the row's promise."""
    broken = [
        *(f"{count} {what} lost" for what, count in broken_of(row.none_lost, outcome.lost)),
        *(f"{count} {what} twice" for what, count in broken_of(row.none_twice, outcome.duplicated)),
    ]
    assert not broken, f"{row.fault} ({row.environment}): {', '.join(broken)}; {outcome}"


def broken_of(promised: tuple[str, ...], counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the promised zeros that are not zero, or were not counted at all."""
    return [(what, counts.get(what, -1)) for what in promised if counts.get(what, -1) != 0]
