"""SLOs: objectives, remaining error budgets and burn rates."""

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
    """Return the SLO dashboard."""
    return board(
        links.SLOS, {"Error budgets": budgets(), "Burn rates": burn()}, SERIES, since="now-7d"
    )


def budgets() -> list[Panel]:
    """Return objectives, and what remains of their error budgets."""
    return [
        number(
            "Objective (%)",
            "percentunit",
            "The share of events that must be good.",
            query("slo:objective:ratio", "{{slo}}"),
            to=links.APPLICATION,
            width=8,
        ),
        number(
            "Error budget (%)",
            "percentunit",
            "The share of events that may be bad: 100 % minus the objective.",
            query("slo:error_budget:ratio", "{{slo}}"),
            to=links.APPLICATION,
            width=8,
        ),
        number(
            "Error budget remaining (%)",
            "percentunit",
            f"Remaining share of the {LEVELS.period} budget. Below zero the SLO is missed.",
            query(LEFT, "{{slo}} {{job}}"),
            to=links.TRENDS,
            width=8,
        ),
        graph(
            "Error budget remaining over time (%)",
            "percentunit",
            "A steep drop is an outage, a steady decline a slow burn.",
            query(LEFT, "{{slo}} {{job}}"),
            to=links.TRENDS,
            services=True,
            width=24,
        ),
    ]


def burn() -> list[Panel]:
    """Return the burn rate of each SLO, over the long windows of its alerts."""
    return [
        graph(
            f"Burn rate of {slo.slo}",
            "x",
            "At a burn rate of 1 the error budget lasts exactly its period.",
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
