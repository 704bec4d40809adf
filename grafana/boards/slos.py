"""The promises: objective, what is left of the error budget, and how fast it burns."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from alerts.slos import Slo
from grafana import links
from grafana.board import board
from grafana.limits import LEVELS
from grafana.panels import Panel, graph, number
from grafana.queries import query

SERIES = ("agentical_requests_total", "agentical_agent_tasks_total")
LEFT = 'slo:error_budget_remaining:ratio{job=~"$job"}'


def slos() -> Dashboard:
    """Return the dashboard of the promises."""
    return board(links.SLOS, {"Budgets": budgets(), "Burn": burn()}, SERIES, since="now-7d")


def budgets() -> list[Panel]:
    """Return what is promised, and what is left of it."""
    return [
        number(
            "Objective",
            "percentunit",
            "The share that shall be good.",
            query("slo:objective:ratio", "{{slo}}"),
            to=links.APPLICATION,
            width=8,
        ),
        number(
            "Error budget",
            "percentunit",
            "The share that may be bad: what the objective leaves.",
            query("slo:error_budget:ratio", "{{slo}}"),
            to=links.APPLICATION,
            width=8,
        ),
        number(
            "Error budget left",
            "percentunit",
            f"Of that, what is left of {LEVELS.period}. Below zero the promise is broken.",
            query(LEFT, "{{slo}} {{job}}"),
            to=links.TRENDS,
            width=8,
        ),
        graph(
            "Error budget left, over time",
            "percentunit",
            "A steep fall is an outage, a slope a slow burn.",
            query(LEFT, "{{slo}} {{job}}"),
            to=links.TRENDS,
            services=True,
            width=24,
        ),
    ]


def burn() -> list[Panel]:
    """Return how much faster than allowed each budget burns, over the windows of its alerts."""
    return [
        graph(
            f"Burn of {slo.slo}",
            "x",
            "How many times faster than allowed: at 1 the budget lasts exactly its period.",
            *(
                query(times(slo, pair.long), f"{{{{job}}}} over {pair.long}")
                for severity in LEVELS.burns
                for pair in severity.pairs
            ),
            to=links.APPLICATION,
            alert=slo.name,
            services=True,
        )
        for slo in LEVELS.slos
    ]


def times(slo: Slo, window: str) -> str:
    """Return the burn rate over a window."""
    bad = f'slo:sli_error:ratio_rate{window}{{slo="{slo.slo}", job=~"$job"}}'
    return f'{bad} / on (slo) group_left () slo:error_budget:ratio{{slo="{slo.slo}"}}'
