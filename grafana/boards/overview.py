"""The page an operator leaves open: what users notice, what fires, how the machines are."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.panels import Panel, firing, graph, number
from grafana.queries import exemplars, latest, per, percentile, query, rate, share
from grafana.rows.machines import machines

REQUESTS, DURATION = "agentical_requests_total", "agentical_request_duration_seconds"
FAILED = 'status=~"5.."'
SERIES = (REQUESTS, "agentical_agent_tasks_total", "system_cpu_time_seconds_total", "container_.+")


def overview() -> Dashboard:
    """Return the overview."""
    rows = {"Now": now(), "Load": load(), "Machines": machines()}
    return board(links.OVERVIEW, rows, SERIES)


def now() -> list[Panel]:
    """Return what an operator looks at first."""
    return [
        number(
            "Critical alerts",
            "alerts",
            "Alerts that fire and wake a person.",
            query('count(ALERTS{alertstate="firing", severity="critical"}) or vector(0)', ""),
            to=links.SLOS,
        ),
        number(
            "Warnings",
            "alerts",
            "Alerts that fire and wait for office hours.",
            query('count(ALERTS{alertstate="firing", severity="warning"}) or vector(0)', ""),
            to=links.SLOS,
        ),
        number(
            "Error budget left",
            "percentunit",
            "Of what each objective allows to fail in its period. Below zero it is broken.",
            query('slo:error_budget_remaining:ratio{job=~"$job"}', "{{slo}} {{job}}"),
            to=links.SLOS,
            width=8,
        ),
        number(
            "Requests that fail",
            "percentunit",
            "The share that is answered with 5xx, counted before any sampling.",
            query(
                share(
                    f"sum({rate(REQUESTS, FAILED)} or 0 * {rate(REQUESTS)})",
                    f"sum({rate(REQUESTS)})",
                ),
                "",
            ),
            to=links.APPLICATION,
            alert="ApplicationErrorRateHigh",
        ),
        number(
            "Slowest twentieth",
            "s",
            "Of all requests, 95 % are faster than this.",
            query(percentile(95, DURATION, "job"), "{{job}}"),
            to=links.APPLICATION,
            alert="ApplicationLatencyHigh",
        ),
        firing(
            "Alerts firing",
            "What Alertmanager is told now. A click opens the rule, which names its runbook.",
            latest('ALERTS{alertstate="firing", severity!="none"}'),
            to=links.SLOS,
        ),
    ]


def load() -> list[Panel]:
    """Return what comes in, and how it is served."""
    return [
        graph(
            "Requests per second",
            "reqps",
            "Every request by route, counted before any sampling.",
            query(per("job, endpoint", rate(REQUESTS)), "{{endpoint}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Request duration, 95th percentile",
            "s",
            "A dot is one request: click it to open its trace.",
            query(percentile(95, DURATION, "job, endpoint"), "{{endpoint}}"),
            exemplars("agentical_sampled_request_duration_seconds"),
            to=links.APPLICATION,
            alert="ApplicationLatencyHigh",
            services=True,
        ),
        graph(
            "Agent tasks per second",
            "tasks/s",
            "Tasks that workers finished, by how they ended.",
            query(per("job, status", rate("agentical_agent_tasks_total")), "{{status}}"),
            to=links.APPLICATION,
            services=True,
        ),
    ]
