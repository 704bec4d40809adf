"""Postgres and Redis, as the service sees them and as they tell themselves."""

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
    rows = {"As the service sees them": service(), "Postgres": postgres(), "Redis": redis()}
    return board(links.DATABASES, rows, SERIES)


def service() -> list[Panel]:
    """Return pools and queries of the service."""
    used = per("job, pool_name", of(POOL, 'status="used"'))
    return [
        graph(
            "Pool in use",
            "percentunit",
            "The share of its largest size that requests hold. At 100 % they wait for each other.",
            query(share(used, per("job, pool_name", of(f"{POOL}_max"))), "{{job}} {{pool_name}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Pool connections",
            "connections",
            "Connections that each pool has open, by state.",
            query(per("job, pool_name, status", of(POOL)), "{{job}} {{pool_name}} {{status}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Connections not got",
            "connections",
            f"In {window(ISSUES)}: requests that found Postgres away, or the pool in use too long.",
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
            "Queries per second",
            "ops",
            "Queries of the service by statement, counted before any sampling.",
            query(per("job, operation", rate(f"{QUERY}_count")), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            services=True,
        ),
        graph(
            "Query duration, mean",
            "s",
            "How long the service waits for an answer of Postgres.",
            query(mean(QUERY, "job, operation"), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            alert="DatabaseQuerySlow",
            services=True,
        ),
        graph(
            "Query duration, 95th percentile",
            "s",
            "Far above the mean: some queries are slow. Logfire knows which.",
            query(percentile(95, QUERY, "job, operation"), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            alert="DatabaseQuerySlow",
            services=True,
        ),
    ]
