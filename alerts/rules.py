"""Prometheus' alert rules, generated from the matrix with numbers and links filled in."""

import re
from string import Template
from typing import Any, Protocol

from alerts.model import Alert, Links, Matrix, PrometheusRule

SAMPLES = 5  # the fewest samples that make a window meaningful
SAMPLE_SECONDS = 10.0  # INFRASTRUCTURE_INTERVAL, unless it is set
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# The dashboard variables that an alert's labels can set.
VARIABLES = "job|instance|namespace|pod|queue"
VIEW = (
    f'?orgId=1{{{{ range $name, $value := $labels }}}}{{{{ if match "^({VARIABLES})$" $name }}}}'
    "&var-{{ $name }}={{ $value | urlquery }}{{ end }}{{ end }}"
)
Rule = dict[str, Any]
Group = dict[str, Any]


class Annotated(Protocol):
    """The fields that an alert's annotations come from."""

    @property
    def name(self) -> str:
        """The alert's name."""

    @property
    def means(self) -> str:
        """The summary: one plain sentence."""

    @property
    def action(self) -> str:
        """What to do."""

    @property
    def dashboard(self) -> str:
        """The uid of its dashboard."""


def groups(
    matrix: Matrix, factor: float = 1.0, sample_seconds: float = SAMPLE_SECONDS
) -> dict[str, Group]:
    """Return a rule group for each pillar.

    Args:
        matrix: the content of `matrix.yaml`.
        factor: divides every window and duration, so that a drill takes minutes and not hours.
        sample_seconds: the interval of samples; no window is compressed below five of them.
    """
    rules: dict[str, list[Rule]] = {}
    for alert in matrix.alerts:
        if alert.prometheus is not None:
            made = rule(alert, alert.prometheus, matrix.links, factor, SAMPLES * sample_seconds)
            rules.setdefault(alert.pillar, []).append(made)
    return {pillar: {"name": pillar, "rules": made} for pillar, made in rules.items()}


def rule(
    alert: Alert, how: PrometheusRule, links: Links, factor: float = 1.0, least: float = 0.0
) -> Rule:
    """Return one rule; no window is compressed below `least` seconds."""
    values = {
        name: compressed(str(value), factor, least) if is_duration(value) else number(value)
        for name, value in {**how.numbers, **({"window": how.window} if how.window else {})}.items()
    }
    expr, also, description = (
        Template(" ".join(text.split())).safe_substitute(values)
        for text in (how.expr, how.also, how.description)
    )
    return {
        "alert": alert.name,
        "expr": f"({expr}) {how.compare} {number(how.threshold)} {also}".strip(),
        "for": compressed(how.for_, factor),
        "labels": {"severity": alert.severity, "pillar": alert.pillar},
        "annotations": annotations(alert, links) | {"description": description},
    }


def annotations(alert: Annotated, links: Links) -> dict[str, str]:
    """Return the annotations; the caller fills in the description."""
    return {
        "summary": alert.means,
        "description": "",
        "action": alert.action,
        "runbook_url": links.runbook(alert.name),
        "dashboard_url": f"{links.grafana}/d/{alert.dashboard}{VIEW}",
    }


def is_duration(value: object) -> bool:
    """Return whether a value is a Prometheus duration."""
    return re.fullmatch(r"\d+[smhd]", str(value)) is not None


def seconds(duration: str) -> int:
    """Return a duration in seconds."""
    return int(duration[:-1]) * UNITS[duration[-1]]


def shortened(duration: str, factor: float, least: float = 0.0) -> float:
    """Return a duration divided by `factor`, in seconds, rounded to milliseconds.

    The result is at least `least`, unless the duration itself is shorter.
    """
    whole = seconds(duration)
    return whole if whole <= least else round(max(whole / factor, least), 3)


def compressed(duration: str, factor: float, least: float = 0.0) -> str:
    """Return a shortened duration in Prometheus' notation."""
    short = shortened(duration, factor, least)
    return duration if short == seconds(duration) else f"{short * 1000:.0f}ms"


def number(value: float | str) -> str:
    """Return a number without an exponent: 1073741824, not 1.07374e+09."""
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else str(value)
