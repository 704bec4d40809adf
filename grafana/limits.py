"""What panels take from the alerts: where their lines are, and over which time. Nothing else."""

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

from alerts.model import Alert, LogfireQuery, PrometheusRule, matrix
from alerts.rules import number, rule
from alerts.slos import slos

FINE = "green"
COLOURS = {"warning": "orange", "critical": "red"}
MATRIX, LEVELS = matrix(), slos()
Step = tuple[float | None, str]


def alerts(name: str, severity: str = "") -> list[Alert]:
    """Return the alerts of a name, of one severity if given; raises `LookupError` for none."""
    found = [a for a in MATRIX.alerts if a.name == name and severity in {"", a.severity}]
    if not found:
        raise LookupError(f"alerts/matrix.yaml has no alert {name} {severity}")
    return found


def asked(alert: Alert) -> PrometheusRule | LogfireQuery:
    """Return how the system that notifies evaluates an alert."""
    found = alert.prometheus if alert.notifier == "prometheus" else alert.logfire
    assert found is not None  # noqa: S101 - the model holds the matrix to it
    return found


def window(name: str) -> str:
    """Return the time that an alert looks back."""
    found = asked(alerts(name)[0]).window
    assert found is not None, name  # noqa: S101 - of an alert without one nobody asks
    return found


def expression(name: str, severity: str = "") -> str:
    """Return what an alert of Prometheus compares with its threshold."""
    alert = alerts(name, severity)[0]
    assert alert.prometheus is not None, name  # noqa: S101 - of others nobody asks
    how = alert.prometheus.model_copy(update={"also": ""})
    made: str = rule(alert, how, MATRIX.links)["expr"]
    return made.removesuffix(f" {how.compare} {number(how.threshold)}")


def lines(name: str, severity: str = "") -> ThresholdsConfig:
    """Return the thresholds of an alert's severities as steps; of a budget's, its factors."""
    if name in {slo.name for slo in LEVELS.slos}:
        factors = [(p.factor, COLOURS[burn.severity]) for burn in LEVELS.burns for p in burn.pairs]
        return stepped([(None, FINE), *sorted(factors)])
    found = alerts(name, severity)
    steps: list[Step] = [(asked(alert).threshold, COLOURS[alert.severity]) for alert in found]
    rising = sorted(steps, key=lambda step: step[0] or 0)
    compare = getattr(asked(found[0]), "compare", ">")
    return stepped(below(rising) if compare in {"<", "<="} else [(None, FINE), *rising])


def below(rising: list[Step]) -> list[Step]:
    """Return the steps of what is better the larger it is: each colour ends at its value."""
    starts = [None, *(value for value, _ in rising)]
    return list(zip(starts, [*(colour for _, colour in rising), FINE], strict=True))


def none() -> ThresholdsConfig:
    """Return no line at all; unsaid, Grafana would draw one at 80."""
    return stepped([(None, FINE)])


def stepped(steps: list[Step]) -> ThresholdsConfig:
    """Return steps as Grafana has them: each colour from its value on."""
    built = [Threshold(value, colour) for value, colour in steps]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(built)
