"""What `matrix.yaml` and `slos.yaml` may say: the alerts' data, read and checked."""

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
    """Knows every key, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PrometheusRule(Strict):
    """How Prometheus evaluates an alert.

    `expr` compared with `threshold`, and `also`, a further condition. In both, and in `description`
    (an annotation's template), `$window` and the names of `numbers` stand for their values. No
    duration is written out in them, so that all can be compressed. `unit` is the threshold's.
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
    """Return the names that a template asks for; `$1`, of a regular expression, is none."""
    return set(re.findall(r"\$([a-z_]\w*)", template))


class LogfireQuery(Strict):
    """How Logfire evaluates an alert: `logfire/alerts/<its name>.sql`, with `${threshold}` in it.

    It fires when the query returns a row. The service applies the window. The names of `numbers`
    stand for their values in the SQL, as `${threshold}` does. `unit` is the threshold's.
    """

    threshold: float
    unit: Unit = "number"
    window: Minutes
    frequency: Minutes
    numbers: dict[str, float] = {}


class Alert(Strict):
    """One alert. `means` is its summary: one plain sentence, no label in it."""

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
            raise ValueError(f"{self.name}: no system evaluates it")
        if (len(systems) == 2) != (self.notifies is not None):
            raise ValueError(f"{self.name}: `notifies` is for what both systems evaluate")
        return self

    @property
    def notifier(self) -> System:
        """The system that tells people."""
        return self.notifies or ("prometheus" if self.prometheus else "logfire")


class Links(Strict):
    """Where an alert's links lead."""

    runbooks: str
    grafana: str


class Matrix(Strict):
    """Every alert. A name may come twice: as a warning, and as critical."""

    links: Links
    alerts: tuple[Alert, ...]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        keys = [(alert.name, alert.severity) for alert in self.alerts]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"alerts that stand twice: {sorted(twice)}")
        return self


def matrix(path: Path = MATRIX) -> Matrix:
    """Return the matrix; raises `pydantic.ValidationError`."""
    return Matrix.model_validate(yaml.safe_load(path.read_text()))
