"""Every query of this project: those of the panels, and the expressions of the rules."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from stack.paths import PROMETHEUS
from tests.dashboards.reading import asked, each_query

TRENDS = "agentical-trends"
A_MINUTE, AN_HOUR, A_DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class Query:
    """A query, and over which time it is asked.

    Attributes:
        place: the dashboard, or the file of rules.
        name: the panel with the query's letter, or the series or alert.
        expr: as Grafana sends it, with every variable set to "All".
        length: seconds.
        step: seconds.
    """

    place: str
    name: str
    expr: str
    length: int = 30 * A_MINUTE
    step: int = A_MINUTE

    @property
    def key(self) -> str:
        return f"{self.place}: {self.name}"


def queries() -> list[Query]:
    """Return all; rules that record one series in several parts are numbered."""
    return [*of_panels(), *of_rules()]


def of_panels() -> Iterator[Query]:
    for described, expr in each_query():
        board, panel, letter = described.replace("', ", ", '").split(", '")
        weeks = {"length": 2 * A_DAY, "step": 2 * AN_HOUR} if board == TRENDS else {}
        yield Query(board.removeprefix("agentical-"), f"{panel}, {letter}", asked(expr), **weeks)


def of_rules() -> Iterator[Query]:
    seen: dict[str, int] = {}
    for path in sorted((PROMETHEUS / "rules").rglob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                name = f"{rule.get('alert') or rule['record']}{labelled(rule)}"
                number = seen[name] = seen.get(name, 0) + 1
                again = f" ({number})" if number > 1 else ""
                expr = " ".join(rule["expr"].split())
                yield Query(path.name, name + again, expr)


def labelled(rule: dict[str, dict[str, str]]) -> str:
    """Return the labels that tell rules of one name apart."""
    told = {
        name: value
        for name, value in rule.get("labels", {}).items()
        if name in {"slo", "signal", "hop", "reason", "severity", "within"}
    }
    return f"{{{', '.join(f'{name}={value}' for name, value in told.items())}}}" if told else ""
