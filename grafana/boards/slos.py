"""SLOs: objectives, remaining error budgets and burn rates."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from alerts.slos import Slo
from grafana import limits, links
from grafana.board import board
from grafana.limits import LEVELS
from grafana.panels import Panel, graph, number
from grafana.queries import query

EMPTY = "No request or task of the selected services yet."
SERIES = ("agentical_requests_total", "agentical_agent_tasks_total")
LEFT = 'slo:error_budget_remaining:ratio{job=~"$job"}'


def slos() -> Dashboard:
    """Return the SLO dashboard."""
    rows = {
        "Error budgets": budgets(),
        **{f"Burn rates of {it.slo}": burn(it) for it in LEVELS.slos},
    }
    return board(links.SLOS, rows, SERIES, EMPTY, since="now-7d")


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
            f"Share left of {LEVELS.period}, or of the time so far. Below zero the SLO is missed.",
            query(LEFT, "{{slo}} {{job}}"),
            to=links.TRENDS,
            thresholds=limits.least({"critical": 0}),
            width=8,
        ),
        graph(
            "Error budget remaining over time (%)",
            "percentunit",
            "A steep drop is an outage, a steady decline a slow burn.",
            query(LEFT, "{{slo}} {{job}}"),
            to=links.TRENDS,
            thresholds=limits.least({"critical": 0}),
            services=True,
            width=24,
        ),
    ]


def burn(slo: Slo) -> list[Panel]:
    """Return the burn rates that each pair of windows of an SLO's alerts compares."""
    return [
        graph(
            f"Burn rate of {slo.slo} over {pair.long}",
            "x",
            f"Both windows above {pair.factor:g} fire; at 1 the budget lasts its {LEVELS.period}.",
            *(query(times(slo, it), f"{{{{job}}}} over {it}") for it in (pair.long, pair.short)),
            to=links.APPLICATION,
            alert=slo.name,
            severity=level.severity,
            thresholds=limits.above(pair.factor, level.severity),
            width=6,
            services=True,
        )
        for level in LEVELS.burns
        for pair in level.pairs
    ]


def times(slo: Slo, window: str) -> str:
    """Return the burn rate over a window."""
    bad = f'slo:sli_error:ratio_rate{window}{{slo="{slo.slo}", job=~"$job"}}'
    return f'{bad} / on (slo) group_left () slo:error_budget:ratio{{slo="{slo.slo}"}}'
