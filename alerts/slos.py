"""The schema of `slos.yaml`: SLOs, and the burn rates that alert."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from alerts.model import SLOS, Duration, Name, Severity, Strict


class Pair(Strict):
    """A burn rate (`factor`) that must be exceeded over both windows."""

    factor: float
    long: Duration
    short: Duration


class Burn(Strict):
    """The window pairs of one severity; any of them fires."""

    severity: Severity
    for_: Annotated[Duration, Field(alias="for")]
    pairs: tuple[Pair, ...]


class Slo(Strict):
    """One SLO: `objective` is the share that has to be good, 0 to 1.

    `errors` and `total` are rates by job over `$window`; `$limit` is the bound of a histogram
    bucket, in seconds. `means` is the alerts' summary; `fails` ends the description's sentence
    "5 % ...".
    """

    slo: str
    name: Name
    means: str
    fails: str
    action: str
    dashboard: str
    objective: Annotated[float, Field(gt=0, lt=1)]
    limit: float | None = None
    errors: str
    total: str

    @property
    def budget(self) -> float:
        """The error budget: the share that may fail."""
        return round(1 - self.objective, 10)


class Slos(Strict):
    """All SLOs. `failures` is the least number of failures in a short window."""

    period: Duration
    failures: int
    burns: tuple[Burn, ...]
    slos: tuple[Slo, ...]


def slos(path: Path = SLOS) -> Slos:
    """Read the SLOs; raises `pydantic.ValidationError`."""
    return Slos.model_validate(yaml.safe_load(path.read_text()))
