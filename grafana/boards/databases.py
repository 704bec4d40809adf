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
FAILURES, ISSUES = "agentical_database_connection_failures_total", "DatabaseConnectionIssues"
USED = 'status="used"'
EACH, USER = "job, instance, pool_name", "{{job}} {{pool_name}}"
NO_POOL = "None of the selected services reports a connection pool."
NO_QUERY = "No query of the selected services in this time."


def databases() -> Dashboard:
    """Return the dashboard of both servers."""
    rows = {"Service view": service(), "Postgres": postgres(), "Redis": redis()}
    return board(links.DATABASES, rows, SERIES, "Not reported by anything that is selected.")


def service() -> list[Panel]:
    """Return pools and queries of the service."""
    used = per("job, pool_name", of(POOL, USED))
    least = per(EACH, f"min_over_time({of(POOL, USED)}[{window(ISSUES)}])")
    failed = grown(FAILURES, ISSUES, EACH)
    exhausted = f"{least} >= bool on ({EACH}) {of(f'{POOL}_max')}"
    return [
        graph(
            "Connection pool utilization (%)",
            "percentunit",
            "Connections in use, relative to the maximum pool size. At 100 % requests wait.",
            query(share(used, per("job, pool_name", of(f"{POOL}_max"))), USER),
            to=links.APPLICATION,
            empty=NO_POOL,
            services=True,
        ),
        graph(
            "Pool connections",
            "connections",
            "Open connections of each pool, by state.",
            query(per("job, pool_name, status", of(POOL)), f"{USER} {{{{status}}}}"),
            to=links.APPLICATION,
            empty=NO_POOL,
            services=True,
        ),
        graph(
            "Connections not obtained",
            "connections",
            f"Of the worst process: failures in {window(ISSUES)}; 1 if exhausted all that time.",
            query(per("job, pool_name", failed, "max"), f"{USER} failed"),
            query(per("job, pool_name", exhausted, "max"), f"{USER} exhausted"),
            to=links.APPLICATION,
            alert=ISSUES,
            services=True,
            empty=NO_POOL,
        ),
        graph(
            "Query rate (queries/s)",
            "ops",
            "Queries of the service by operation, counted before sampling.",
            query(per("job, operation", rate(f"{QUERY}_count")), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            empty=NO_QUERY,
            width=6,
            services=True,
        ),
        graph(
            "Mean query latency (s)",
            "s",
            "Time the services wait for a response from Postgres, over all queries.",
            query(
                share(f"sum({rate(f'{QUERY}_sum')})", f"sum({rate(f'{QUERY}_count')})"),
                "all queries",
            ),
            to=links.APPLICATION,
            alert="DatabaseQuerySlow",
            empty=NO_QUERY,
            width=6,
        ),
        graph(
            "Mean query latency by operation (s)",
            "s",
            "Each operation's own mean; the alert compares that of all queries.",
            query(mean(QUERY, "job, operation"), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            empty=NO_QUERY,
            width=6,
            services=True,
        ),
        graph(
            "P95 query latency (s)",
            "s",
            "Far above the mean: some queries are slow. Logfire shows which.",
            query(percentile(95, QUERY, "job, operation"), "{{job}} {{operation}}"),
            to=links.APPLICATION,
            empty=NO_QUERY,
            width=6,
            services=True,
        ),
    ]
