"""What panels take from the alerts: thresholds with their colours, expressions and windows."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

from alerts.model import Alert, LogfireQuery, PrometheusRule, Severity, matrix
from alerts.rules import number, rule
from alerts.slos import slos

FINE = "green"
COLOURS = {"warning": "orange", "critical": "red"}
MATRIX, LEVELS = matrix(), slos()
Step = tuple[float | None, str]


def alerts(name: str, severity: str = "") -> list[Alert]:
    """Return the alerts of a name and optional severity; raises `LookupError` if there is none."""
    found = [a for a in MATRIX.alerts if a.name == name and severity in {"", a.severity}]
    if not found:
        raise LookupError(f"alerts/matrix.yaml has no alert {name} {severity}")
    return found


def asked(alert: Alert) -> PrometheusRule | LogfireQuery:
    """Return the definition of an alert in the system that notifies."""
    found = alert.prometheus if alert.notifier == "prometheus" else alert.logfire
    assert found is not None  # noqa: S101 - the model guarantees it
    return found


def window(name: str) -> str:
    """Return the window of an alert."""
    found = asked(alerts(name)[0]).window
    assert found is not None, name  # noqa: S101 - only used for alerts with a window
    return found


def expression(name: str, severity: str = "") -> str:
    """Return the expression that Prometheus compares with the threshold."""
    alert = alerts(name, severity)[0]
    assert alert.prometheus is not None, name  # noqa: S101 - only used for alerts of Prometheus
    how = alert.prometheus.model_copy(update={"also": ""})
    made: str = rule(alert, how, MATRIX.links)["expr"]
    return made.removesuffix(f" {how.compare} {number(how.threshold)}")


def lines(name: str, severity: str = "") -> ThresholdsConfig:
    """Return an alert's thresholds as steps, of the value that the alert compares."""
    found = alerts(name, severity)
    steps: list[Step] = [(asked(alert).threshold, COLOURS[alert.severity]) for alert in found]
    rising = sorted(steps, key=lambda step: step[0] or 0)
    compare = getattr(asked(found[0]), "compare", ">")
    return stepped(below(rising) if compare in {"<", "<="} else [(None, FINE), *rising])


def below(rising: Sequence[tuple[float | None, str]]) -> list[Step]:
    """Return the steps of a value that should be high: each colour ends at its value."""
    starts = [None, *(value for value, _ in rising)]
    return list(zip(starts, [*(colour for _, colour in rising), FINE], strict=True))


def above(value: float, severity: Severity) -> ThresholdsConfig:
    """Return the steps of a value that has a severity's colour from a value on."""
    return stepped([(None, FINE), (value, COLOURS[severity])])


def least(values: Mapping[Severity, float]) -> ThresholdsConfig:
    """Return the steps of a value that has a severity's colour below that severity's value."""
    return stepped(below(sorted((value, COLOURS[name]) for name, value in values.items())))


def none() -> ThresholdsConfig:
    """Return no thresholds; Grafana's default would draw a line at 80."""
    return stepped([(None, FINE)])


def stepped(steps: list[Step]) -> ThresholdsConfig:
    """Return thresholds in Grafana's form: each colour starts at its value."""
    built = [Threshold(value, colour) for value, colour in steps]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(built)
