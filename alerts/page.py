"""The table of all alerts, for people: `docs/alerts.md`."""

from collections.abc import Iterator
from itertools import groupby

from alerts.model import Alert, LogfireQuery, Matrix, PrometheusRule
from alerts.rules import number

HEAD = """# Alerts

<!-- Generated from alerts/matrix.yaml: edit that and run `make alerts`. -->

`critical` wakes a person, `warning` is for office hours. Each alert has
[a heading in the runbooks](runbooks.md) and a link to its dashboard; each number stands in
[`alerts/matrix.yaml`](../alerts/matrix.yaml), and nowhere else.
"""
COLUMNS = ("alert", "severity", "told by", "fires at", "over", "for", "action")


def page(matrix: Matrix) -> str:
    """Return the page as Markdown."""
    return "\n".join([HEAD, *sections(matrix)]) + "\n"


def sections(matrix: Matrix) -> Iterator[str]:
    """Yield the lines of a table for each pillar."""
    in_order = sorted(matrix.alerts, key=lambda alert: alert.pillar)
    for pillar, alerts in groupby(in_order, key=lambda alert: alert.pillar):
        yield f"## {pillar.capitalize()}\n"
        yield row(COLUMNS)
        yield row(["---"] * len(COLUMNS))
        for alert in alerts:
            yield row(cells(alert))
        yield ""


def row(values: tuple[str, ...] | list[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(values)} |"


def cells(alert: Alert) -> tuple[str, ...]:
    """Return what is said of an alert; what a second system evaluates too is put below."""
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
    """Name a system, and say whether it only looks."""
    name = "prometheus" if isinstance(way, PrometheusRule) else "logfire"
    return name.capitalize() + ("" if alert.notifier == name else " (does not notify)")


def limit(way: PrometheusRule | LogfireQuery) -> str:
    """Return the threshold with its comparison and its unit."""
    compare = f"{way.compare} " if isinstance(way, PrometheusRule) else ""
    return compare + with_unit(way.threshold, way.unit)


def with_unit(value: float, unit: str) -> str:
    """Return a threshold as a person says it: 80 %, 24 h, 100 MB."""
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
