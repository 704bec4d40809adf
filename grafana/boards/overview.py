"""The overview for on-call: user-facing symptoms, firing alerts, load and hosts."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import limits, links
from grafana.board import board
from grafana.panels import Panel, firing, graph, number
from grafana.queries import exemplars, latest, per, percentile, query, rate, share
from grafana.rows.machines import machines

REQUESTS, DURATION = "agentical_requests_total", "agentical_request_duration_seconds"
FAILED = 'status=~"5.."'
NO_REQUEST = "No request to the selected services in this time."
EMPTY = "Nothing that is selected reports this."
SERIES = (REQUESTS, "agentical_agent_tasks_total", "system_cpu_time_seconds_total", "container_.+")


def overview() -> Dashboard:
    """Return the overview."""
    rows = {"Status": now(), "Load": load(), "Hosts": machines()}
    return board(links.OVERVIEW, rows, SERIES, EMPTY)


def now() -> list[Panel]:
    """Return the current status: alerts, error budgets, error rate and latency."""
    failed = f"{rate(REQUESTS, FAILED)} or 0 * {rate(REQUESTS)}"
    return [
        number(
            "Critical alerts",
            "alerts",
            "Firing alerts that page on-call.",
            query('count(ALERTS{alertstate="firing", severity="critical"}) or vector(0)', ""),
            to=links.SLOS,
            thresholds=limits.above(1, "critical"),
        ),
        number(
            "Warning alerts",
            "alerts",
            "Firing alerts that open a ticket.",
            query('count(ALERTS{alertstate="firing", severity="warning"}) or vector(0)', ""),
            to=links.SLOS,
            thresholds=limits.above(1, "warning"),
        ),
        number(
            "Error budget remaining (%)",
            "percentunit",
            "Remaining share of each SLO's error budget. Below zero the SLO is missed.",
            query('slo:error_budget_remaining:ratio{job=~"$job"}', "{{slo}} {{job}}"),
            to=links.SLOS,
            thresholds=limits.least({"critical": 0}),
            empty=NO_REQUEST,
            width=8,
        ),
        number(
            "Error rate (%)",
            "percentunit",
            "The share of each service's requests answered with 5xx, counted before sampling.",
            query(share(per("job", failed), per("job", rate(REQUESTS))), "{{job}}"),
            to=links.APPLICATION,
            alert="ApplicationErrorRateHigh",
            empty=NO_REQUEST,
        ),
        number(
            "P95 latency (s)",
            "s",
            "Of all requests, 95 % are faster than this.",
            query(percentile(95, DURATION, "job"), "{{job}}"),
            to=links.APPLICATION,
            alert="ApplicationLatencyHigh",
            empty=NO_REQUEST,
        ),
        firing(
            "Firing alerts",
            "Alerts that Prometheus sends to Alertmanager. Click one to open its rule and runbook.",
            latest('ALERTS{alertstate="firing", severity!="none"}'),
            to=links.SLOS,
        ),
    ]


def load() -> list[Panel]:
    """Return the load on the service, and its latency."""
    return [
        graph(
            "Request rate (req/s)",
            "reqps",
            "Requests by route, counted before sampling.",
            query(per("job, endpoint", rate(REQUESTS)), "{{endpoint}}"),
            to=links.APPLICATION,
            empty=NO_REQUEST,
            services=True,
        ),
        graph(
            "P95 request latency by route (s)",
            "s",
            "Each dot is a request (an exemplar): click it to open its trace.",
            query(percentile(95, DURATION, "job, endpoint"), "{{endpoint}}"),
            exemplars("agentical_sampled_request_duration_seconds"),
            to=links.APPLICATION,
            empty=NO_REQUEST,
            services=True,
        ),
        graph(
            "Agent task rate (tasks/s)",
            "tasks/s",
            "Tasks that workers finished, by status.",
            query(per("job, status", rate("agentical_agent_tasks_total")), "{{status}}"),
            to=links.APPLICATION,
            empty="No task of the selected workers in this time.",
            services=True,
        ),
    ]
