"""The table of all alerts: `docs/alerts.md`."""

from collections.abc import Iterator
from itertools import groupby

from alerts.model import Alert, LogfireQuery, Matrix, PrometheusRule
from alerts.rules import number

HEAD = """# Alerts

<!-- Generated from alerts/matrix.yaml: edit that and run `make alerts`. -->

`critical` pages on-call, `warning` opens a ticket for office hours. Each alert has
[a runbook](runbooks.md) and a link to its dashboard. All thresholds are defined in
[`alerts/matrix.yaml`](../alerts/matrix.yaml).
"""
COLUMNS = ("alert", "severity", "evaluated by", "threshold", "window", "for", "action")


def page(matrix: Matrix) -> str:
    """Return the page as Markdown."""
    return "\n".join([HEAD, *sections(matrix)]) + "\n"


def sections(matrix: Matrix) -> Iterator[str]:
    """Yield the lines of one table per pillar."""
    in_order = sorted(matrix.alerts, key=lambda alert: alert.pillar)
    for pillar, alerts in groupby(in_order, key=lambda alert: alert.pillar):
        yield f"## {pillar.capitalize()}\n"
        yield row(COLUMNS)
        yield row(["---"] * len(COLUMNS))
        for alert in alerts:
            yield row(cells(alert))
        yield ""


def row(values: tuple[str, ...] | list[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(values)} |"


def cells(alert: Alert) -> tuple[str, ...]:
    """Return the cells of an alert; those of a second system go on a second line."""
    ways = [way for way in (alert.prometheus, alert.logfire) if way is not None]
    return (
        f"[{alert.name}](runbooks.md#{alert.name.lower()})<br>{alert.means}",
        alert.severity,
        "<br>".join(system(alert, way) for way in ways),
        "<br>".join(limit(way) for way in ways),
        "<br>".join(way.window or "" for way in ways),
        "<br>".join(way.for_ if isinstance(way, PrometheusRule) else "" for way in ways),
        alert.action,
    )


def system(alert: Alert, way: PrometheusRule | LogfireQuery) -> str:
    """Return the name of a system, and whether it only evaluates."""
    name = "prometheus" if isinstance(way, PrometheusRule) else "logfire"
    return name.capitalize() + ("" if alert.notifier == name else " (does not notify)")


def limit(way: PrometheusRule | LogfireQuery) -> str:
    """Return the threshold with its operator and unit."""
    compare = way.compare if isinstance(way, PrometheusRule) else ">"  # as each SQL file compares
    return f"{compare} {with_unit(way.threshold, way.unit)}"


def with_unit(value: float, unit: str) -> str:
    """Return a human-readable threshold: 80 %, 24 h, 100 MB."""
    if unit == "ratio":
        return f"{number(round(value * 100, 6))} %"
    for scale, name in SCALES.get(unit, ()):
        if value >= scale:
            return f"{number(value / scale)} {name}"
    return number(value) + {"seconds": " s", "bytes": " bytes"}.get(unit, "")


SCALES = {
    "seconds": ((86400, "d"), (3600, "h"), (60, "min")),
    "bytes": ((2**30, "GiB"), (2**20, "MiB"), (10**6, "MB"), (10**3, "kB")),
}
