"""Trends over weeks and months: load, storage, connections, and when capacity runs out.

Its series are recorded by `prometheus/rules/trends.yml`, so that queries over a year stay fast.
"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import limits, links
from grafana.board import board
from grafana.panels import Panel, graph, number
from grafana.queries import of, query, reaching

SERIES = (".+:.+1h",)
REQUESTS, TASKS = "job:agentical_requests:rate1h", "job:agentical_agent_tasks:rate1h"
CONNECTIONS = "job_instance:postgresql_connections_used:ratio_max1h"
DATABASE = "job_instance_database:postgresql_size_bytes:max1h"
REDIS = "job_instance:redis_memory_bytes:max1h"
FREE = "job_instance_mountpoint:system_filesystem_free_bytes:min1h"
SPANS, CPU = "job:otelcol_accepted_spans:rate1h", "job:otelcol_cpu_seconds:rate1h"
A_DAY, A_YEAR = 86400, 365
FIRST_HOUR = "In a job's first hour, that of the last 5 minutes."
EMPTY = "Nothing is recorded yet: the first rates need 5 minutes."
YOUNG = "Needs a day of history."


def trends() -> Dashboard:
    """Return the dashboard of trends."""
    rows = {"Load": load(), "Storage": storage(), "Capacity": room()}
    return board(links.TRENDS, rows, SERIES, EMPTY, since="now-30d")


def load() -> list[Panel]:
    """Return the load on the service."""
    return [
        graph(
            "Request rate (req/s)",
            "reqps",
            f"Hourly mean of the request rate. {FIRST_HOUR}",
            query(of(REQUESTS), "{{job}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Agent task rate (tasks/s)",
            "tasks/s",
            f"Hourly mean of the task rate. {FIRST_HOUR}",
            query(of(TASKS), "{{job}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Request growth per week (%)",
            "percentunit",
            "Mean rate of the last week, relative to the week before. Needs two weeks of history.",
            query(weekly(REQUESTS), "{{job}}"),
            to=links.APPLICATION,
            empty="Needs two weeks of history.",
            services=True,
        ),
    ]


def storage() -> list[Panel]:
    """Return the size of the databases."""
    return [
        graph(
            "Database size (bytes)",
            "bytes",
            "Size of each Postgres database on disk.",
            query(of(DATABASE), "{{instance}} {{database}}"),
            to=links.DATABASES,
        ),
        graph(
            "Database growth per day (bytes)",
            "bytes",
            f"Slope over the last week. {YOUNG}",
            query(
                f"deriv({of(DATABASE)}[1w]) * {A_DAY} and {reaching(1, DATABASE)}",
                "{{instance}} {{database}}",
            ),
            to=links.DATABASES,
            empty=YOUNG,
        ),
        graph(
            "Redis memory usage (bytes)",
            "bytes",
            "Memory used by the data in Redis.",
            query(of(REDIS), "{{instance}}"),
            to=links.DATABASES,
        ),
    ]


def room() -> list[Panel]:
    """Return the remaining capacity, and how long it lasts."""
    shrinks = f"clamp_min(-deriv({of(FREE)}[1w]) * {A_DAY}, 1)"
    days = f"clamp_max({of(FREE)} / {shrinks}, {A_YEAR})"
    return [
        number(
            "Time until disk full",
            "d",
            f"Extrapolated from the last week; a year or more is shown as a year. {YOUNG}",
            query(f"{days} and {reaching(1, FREE)}", "{{instance}} {{mountpoint}}"),
            to=links.OVERVIEW,
            thresholds=limits.least({"critical": 1, "warning": 7}),
            empty=YOUNG,
            width=8,
        ),
        graph(
            "Free disk space (bytes)",
            "bytes",
            "Hourly minimum of each file system.",
            query(of(FREE), "{{instance}} {{mountpoint}}"),
            to=links.OVERVIEW,
        ),
        graph(
            "Postgres connection utilization (%)",
            "percentunit",
            "Hourly maximum, relative to max_connections.",
            query(of(CONNECTIONS), "{{instance}}"),
            to=links.DATABASES,
            alert="PostgresConnectionsHigh",
        ),
        graph(
            "Span rate (spans/s)",
            "spans/s",
            f"Hourly mean of spans received: they drive the cost of Logfire. {FIRST_HOUR}",
            query(of(SPANS), "{{job}}"),
            to=links.COLLECTOR,
            width=12,
        ),
        graph(
            "Collector CPU usage (cores)",
            "cores",
            f"Hourly mean of the CPU usage. {FIRST_HOUR}",
            query(of(CPU), "{{job}}"),
            to=links.COLLECTOR,
            width=12,
        ),
    ]


def weekly(series: str) -> str:
    """Return the relative change of a weekly mean against the week before, 0.1 for 10 %."""
    week = f"avg_over_time({of(series)}[1w])"
    change = f"{week} / ({week.removesuffix(')')} offset 1w) > 0) - 1"
    return f"{change} and {reaching(14, series)}"
