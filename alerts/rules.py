"""Prometheus' alert rules, made from the matrix: the numbers filled in, the links written out."""

import re
from string import Template
from typing import Any, Protocol

from alerts.model import Alert, Links, Matrix, PrometheusRule

SAMPLES = 5  # a window with fewer of them says little
SAMPLE_SECONDS = 10.0  # INFRASTRUCTURE_INTERVAL, unless it is set
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# The variables of the dashboards that an alert's labels can fill.
VARIABLES = "job|instance|namespace|pod|queue"
VIEW = (
    f'?orgId=1{{{{ range $name, $value := $labels }}}}{{{{ if match "^({VARIABLES})$" $name }}}}'
    "&var-{{ $name }}={{ $value | urlquery }}{{ end }}{{ end }}"
)
Rule = dict[str, Any]
Group = dict[str, Any]


class Annotated(Protocol):
    """What an alert's annotations are made from."""

    @property
    def name(self) -> str:
        """The alert's name."""

    @property
    def means(self) -> str:
        """One plain sentence."""

    @property
    def action(self) -> str:
        """What to do."""

    @property
    def dashboard(self) -> str:
        """Its uid."""


def groups(
    matrix: Matrix, factor: float = 1.0, sample_seconds: float = SAMPLE_SECONDS
) -> dict[str, Group]:
    """Return by pillar the group of its alerts, as a rule file holds it.

    Args:
        matrix: what is read from `matrix.yaml`.
        factor: every window and every duration is divided by it, so that a drill needs no hours.
        sample_seconds: how often series get a sample; no window is compressed below five.
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
    """Return what a person reads, and where they click; the description is the rule's."""
    return {
        "summary": alert.means,
        "description": "",
        "action": alert.action,
        "runbook_url": f"{links.runbooks}#{alert.name.lower()}",
        "dashboard_url": f"{links.grafana}/d/{alert.dashboard}{VIEW}",
    }


def is_duration(value: object) -> bool:
    """Tell whether a value is written as Prometheus writes durations."""
    return re.fullmatch(r"\d+[smhd]", str(value)) is not None


def seconds(duration: str) -> int:
    """Return the seconds of a duration."""
    return int(duration[:-1]) * UNITS[duration[-1]]


def shortened(duration: str, factor: float, least: float = 0.0) -> float:
    """Return the seconds of a duration divided by `factor`, to the millisecond.

    They are not below `least` unless they were before.
    """
    whole = seconds(duration)
    return whole if whole <= least else round(max(whole / factor, least), 3)


def compressed(duration: str, factor: float, least: float = 0.0) -> str:
    """Return a duration that is shortened, as Prometheus writes durations."""
    short = shortened(duration, factor, least)
    return duration if short == seconds(duration) else f"{short * 1000:.0f}ms"


def number(value: float | str) -> str:
    """Return a number as people write it: 1073741824, not 1.07374e+09."""
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else str(value)
