"""Postgres and Redis: the service's view, and the servers' own metrics."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import grown, mean, of, per, percentile, query, rate, share
from grafana.rows.postgres import postgres
from grafana.rows.redis import redis

POOL, QUERY = "agentical_database_connections", "agentical_database_query_duration_seconds"
SERIES = (POOL, "postgresql_connection_max", "redis_memory_used_bytes")
ISSUES = "DatabaseConnectionIssues"


def databases() -> Dashboard:
    """Return the dashboard of both servers."""
    rows = {"Service view": service(), "Postgres": postgres(), "Redis": redis()}
    return board(links.DATABASES, rows, SERIES)


def service() -> list[Panel]:
    """Return pools and queries of the service."""
    used = per("job, pool_name", of(POOL, 'status="used"'))
    return [
        graph(
            "Connection pool utilization (%)",
            "percentunit",
            "Connections in use, relative to the maximum pool size. At 100 % requests wait.",
            query(share(used, per("job, pool_name", of(f"{POOL}_max"))), "{{job}} {{pool_name}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Pool connections",
            "connections",
            "Open connections of each pool, by state.",
            query(per("job, pool_name, status", of(POOL)), "{{job}} {{pool_name}} {{status}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Failed connection attempts",
            "connections",
            f"Connection errors and acquire timeouts within {window(ISSUES)}.",
            query(
                per(
                    "job, pool_name", grown("agentical_database_connection_failures_total", ISSUES)
                ),
                "{{job}} {{pool_name}}",
            ),
            to=links.APPLICATION,
            alert=ISSUES,
            services=True,
        ),
        graph(
            "Query rate (queries/s)",
            "ops",
            "Queries of the service by operation, counted before sampling.",
            query(per("job, operation", rate(f"{QUERY}_count")), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Mean query latency (s)",
            "s",
            "Time the service waits for a response from Postgres.",
            query(mean(QUERY, "job, operation"), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            alert="DatabaseQuerySlow",
            services=True,
        ),
        graph(
            "P95 query latency (s)",
            "s",
            "Far above the mean: some queries are slow. Logfire shows which.",
            query(percentile(95, QUERY, "job, operation"), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            alert="DatabaseQuerySlow",
            services=True,
        ),
    ]
