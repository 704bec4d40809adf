"""The committed dashboards as Grafana reads them, and their queries as it sends them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from alerts.model import MATRIX, SLOS
from stack.paths import GRAFANA

ALL = sorted((GRAFANA / "generated").glob("*.json"))
Part = dict[str, Any]


def read(path: Path) -> Part:
    found: Part = json.loads(path.read_text())
    return found


BOARDS: dict[str, Part] = {board["uid"]: board for board in map(read, ALL)}


# As written in the file, not as the generator parses it.
ALERTS: list[Part] = yaml.safe_load(MATRIX.read_text())["alerts"]
LEVELS: Part = yaml.safe_load(SLOS.read_text())
ALERTS += [
    {"name": slo["name"], "severity": burn["severity"], "slo": slo, "long": pair["long"]}
    | {"prometheus": {"compare": ">", "threshold": pair["factor"]}}
    for slo in LEVELS["slos"]
    for burn in LEVELS["burns"]
    for pair in burn["pairs"]
]
NAMED = re.compile(r" Alert: (\w+)(?: (critical|warning))?\.$")


def alerts_of(panel: Part) -> list[Part]:
    """Return the alerts that a panel's description names; none where it names none."""
    named = NAMED.search(panel["description"])
    if named is None:
        return []
    found = [a for a in ALERTS if a["name"] == named[1] and named[2] in {None, a["severity"]}]
    found = [a for a in found if a.get("long", "") in panel["title"]]
    assert found, f"no alert is called {named[0]}"
    return found


def compared(alert: Part) -> tuple[str, float]:
    """Return the comparison and the threshold in the system that notifies."""
    how: Part = alert.get("prometheus") or alert["logfire"]
    return how.get("compare", ">"), how["threshold"]


def before_comparison(rule: str) -> str:
    """Return the expression, in parentheses, that a generated alert rule compares."""
    depth = 0
    for place, letter in enumerate(rule):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return rule[: place + 1]
    raise AssertionError(rule)


def drawn(panel: Part) -> list[Part]:
    """Return the queries that are drawn: those of exemplars only place their dots."""
    return [target for target in panel["targets"] if not target.get("exemplar")]


def panels(board: Part) -> list[Part]:
    """Return the panels, without row headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def each_panel() -> Iterator[tuple[str, Part]]:
    """Yield every panel, with a description of its place."""
    for uid, board in BOARDS.items():
        for panel in panels(board):
            yield f"{uid}, {panel['title']!r}", panel


def defaults(panel: Part) -> Part:
    """Return a panel's field configuration: unit, thresholds, links, `noValue`."""
    found: Part = panel["fieldConfig"]["defaults"]
    return found


def each_query() -> Iterator[tuple[str, str]]:
    """Yield every query of a panel, with a description of its place."""
    for place, panel in each_panel():
        for target in panel["targets"]:
            yield f"{place}, {target['refId']}", target["expr"]


def asked(expr: str, interval: str = "1m") -> str:
    """Return a query as Grafana sends it with every variable set to "All"."""
    filled = expr.replace("$__rate_interval", interval)
    return re.sub(r"\$[a-z]+", ".*", filled)
