"""What `slos.yaml` may say: service levels, and how fast a budget may burn."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from alerts.model import SLOS, Duration, Name, Severity, Strict


class Pair(Strict):
    """`factor` times the rate that would just use up the budget, over both windows."""

    factor: float
    long: Duration
    short: Duration


class Burn(Strict):
    """The pairs of one severity; one of them is enough."""

    severity: Severity
    for_: Annotated[Duration, Field(alias="for")]
    pairs: tuple[Pair, ...]


class Slo(Strict):
    """One service level: `objective` is the share that has to be good, 0 to 1.

    `errors` and `total` are rates by job over `$window`; `$limit` is a histogram's, in seconds.
    `means` is the alerts' summary, `fails` what the description says of the share that is not good.
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
        """The share that may fail."""
        return round(1 - self.objective, 10)


class Slos(Strict):
    """Every service level. `failures` is the least that have failed in a pair's short window."""

    period: Duration
    failures: int
    burns: tuple[Burn, ...]
    slos: tuple[Slo, ...]


def slos(path: Path = SLOS) -> Slos:
    """Return the service levels; raises `pydantic.ValidationError`."""
    return Slos.model_validate(yaml.safe_load(path.read_text()))
