"""The schema of `matrix.yaml`, and what `slos.yaml` shares with it."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

ROOM = Path(__file__).parent
MATRIX, SLOS = ROOM / "matrix.yaml", ROOM / "slos.yaml"
Duration = Annotated[str, Field(pattern=r"^\d+[smhd]$")]
Minutes = Literal["1m", "2m", "5m", "10m", "15m", "30m", "1h", "6h", "12h", "24h"]
Name = Annotated[str, Field(pattern=r"^([A-Z][a-z0-9]+){2,}$")]
Unit = Literal["number", "ratio", "seconds", "bytes"]
Severity = Literal["critical", "warning"]
System = Literal["prometheus", "logfire"]
Pillar = Literal["application", "host", "kubernetes", "postgresql", "redis", "queue", "pipeline"]


class Strict(BaseModel):
    """A frozen model that rejects unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PrometheusRule(Strict):
    """How Prometheus evaluates an alert.

    It fires when `expr` compared with `threshold` is true, and so is `also`, an optional further
    condition. In these and in `description` (an annotation's template), `$window` and the names in
    `numbers` are replaced by their values. Durations are never written out, so that drills can
    shorten all of them. `unit` is the unit of the threshold.
    """

    expr: str
    compare: Literal[">", ">=", "<", "<=", "=="]
    threshold: float
    unit: Unit = "number"
    window: Duration | None = None
    for_: Annotated[Duration, Field(alias="for")]
    also: str = ""
    numbers: dict[str, float | str] = {}
    description: str

    @model_validator(mode="after")
    def _every_name_has_a_value_and_a_use(self) -> Self:
        given = {*self.numbers, *(["window"] if self.window else [])}
        asked = names(self.expr) | names(self.also)
        if wrong := (asked - given) | (given - asked - names(self.description)):
            raise ValueError(f"numbers that are not given, or not used: {sorted(wrong)}")
        return self


def names(template: str) -> set[str]:
    """Return the placeholders of a template, without regular expressions' groups such as `$1`."""
    return set(re.findall(r"\$([a-z_]\w*)", template))


class LogfireQuery(Strict):
    """How Logfire evaluates an alert: the query in `logfire/alerts/<its name>.sql`.

    It fires when the query returns a row. Logfire applies the window. In the SQL, `${threshold}`
    and the names in `numbers` are replaced by their values. `unit` is the unit of the threshold.
    """

    threshold: float
    unit: Unit = "number"
    window: Minutes
    frequency: Minutes
    numbers: dict[str, float] = {}


class Alert(Strict):
    """One alert. `means` is its summary: one plain sentence without labels."""

    name: Name
    severity: Severity
    pillar: Pillar
    means: str
    action: str
    dashboard: str
    notifies: System | None = None
    prometheus: PrometheusRule | None = None
    logfire: LogfireQuery | None = None

    @model_validator(mode="after")
    def _one_notifies(self) -> Self:
        systems = [s for s in ("prometheus", "logfire") if getattr(self, s) is not None]
        if not systems:
            raise ValueError(f"{self.name}: add `prometheus` or `logfire`, no system evaluates it")
        if (len(systems) == 2) != (self.notifies is not None):
            raise ValueError(f"{self.name}: set `notifies` exactly when both systems evaluate it")
        return self

    @property
    def notifier(self) -> System:
        """The system that sends notifications."""
        return self.notifies or ("prometheus" if self.prometheus else "logfire")


class Links(Strict):
    """Base URLs of an alert's links."""

    runbooks: str
    grafana: str

    def runbook(self, alert: str) -> str:
        """Return the URL of an alert's runbook."""
        return f"{self.runbooks}#{alert.lower()}"


class Matrix(Strict):
    """All alerts. A name may occur twice: as warning and as critical."""

    links: Links
    alerts: tuple[Alert, ...]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        keys = [(alert.name, alert.severity) for alert in self.alerts]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"alerts that are listed twice: {sorted(twice)}")
        return self


def matrix(path: Path = MATRIX) -> Matrix:
    """Read the matrix; raises `pydantic.ValidationError`."""
    return Matrix.model_validate(yaml.safe_load(path.read_text()))
