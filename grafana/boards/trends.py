"""Weeks and months: how load, storage and connections grow, and when room runs out.

Its series are recorded by `prometheus/rules/trends.yml`, so that a year is read as fast as a day.
"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.panels import Panel, graph, number
from grafana.queries import of, query

SERIES = (".+:.+1h",)
REQUESTS, TASKS = "job:agentical_requests:rate1h", "job:agentical_agent_tasks:rate1h"
CONNECTIONS = "job_instance:postgresql_connections_used:ratio_max1h"
DATABASE = "job_instance_database:postgresql_size_bytes:max1h"
REDIS = "job_instance:redis_memory_bytes:max1h"
FREE = "job_instance_mountpoint:system_filesystem_free_bytes:min1h"
SPANS, CPU = "job:otelcol_accepted_spans:rate1h", "job:otelcol_cpu_seconds:rate1h"
A_DAY, A_YEAR = 86400, 365


def trends() -> Dashboard:
    """Return the dashboard of weeks and months."""
    rows = {"Load": load(), "Storage": storage(), "Room": room()}
    return board(links.TRENDS, rows, SERIES, since="now-30d")


def load() -> list[Panel]:
    """Return what is asked of the service."""
    return [
        graph(
            "Requests per second",
            "reqps",
            "The mean of each hour.",
            query(of(REQUESTS), "{{job}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Agent tasks per second",
            "tasks/s",
            "The mean of each hour.",
            query(of(TASKS), "{{job}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Growth of requests in a week",
            "percentunit",
            "The last week's mean against that of the week before.",
            query(weekly(REQUESTS), "{{job}}"),
            to=links.APPLICATION,
            services=True,
        ),
    ]


def storage() -> list[Panel]:
    """Return what is kept."""
    return [
        graph(
            "Databases",
            "bytes",
            "What each database of Postgres takes on disk.",
            query(of(DATABASE), "{{instance}} {{database}}"),
            to=links.DATABASES,
        ),
        graph(
            "Databases, growth a day",
            "bytes",
            "By the slope of the last week.",
            query(f"deriv({of(DATABASE)}[1w]) * {A_DAY}", "{{instance}} {{database}}"),
            to=links.DATABASES,
        ),
        graph(
            "Redis memory",
            "bytes",
            "What the data of Redis takes.",
            query(of(REDIS), "{{instance}}"),
            to=links.DATABASES,
        ),
    ]


def room() -> list[Panel]:
    """Return how much room is left, and for how long."""
    shrinks = f"clamp_min(-deriv({of(FREE)}[1w]) * {A_DAY}, 1)"
    return [
        number(
            "Days until full",
            "d",
            "Of each file system, by the slope of the last week; 365 means not in sight.",
            query(f"clamp_max({of(FREE)} / {shrinks}, {A_YEAR})", "{{instance}} {{mountpoint}}"),
            to=links.OVERVIEW,
            width=8,
        ),
        graph(
            "Disk space free",
            "bytes",
            "The least of each hour.",
            query(of(FREE), "{{instance}} {{mountpoint}}"),
            to=links.OVERVIEW,
        ),
        graph(
            "Postgres connections",
            "percentunit",
            "The most of each hour, of what max_connections allows.",
            query(of(CONNECTIONS), "{{instance}}"),
            to=links.DATABASES,
            alert="PostgresConnectionsHigh",
        ),
        graph(
            "Spans per second",
            "spans/s",
            "What the collector took in, by hour: it decides what Logfire and the machine cost.",
            query(of(SPANS), "{{job}}"),
            to=links.COLLECTOR,
            width=12,
        ),
        graph(
            "Collector's CPU",
            "cores",
            "The mean of each hour.",
            query(of(CPU), "{{job}}"),
            to=links.COLLECTOR,
            width=12,
        ),
    ]


def weekly(series: str) -> str:
    """Return by how much the mean of a week differs from that of the week before, 0.1 for 10 %."""
    week = f"avg_over_time({of(series)}[1w])"
    return f"{week} / ({week.removesuffix(')')} offset 1w) > 0) - 1"
