"""The panels of Postgres, from the server's own metrics."""

from grafana import links
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import compared, grown, of, per, query, rate, share

EACH, NO_REPLICA = "job, instance, host", "No replica is connected."
SERVER, DATABASE = "{{instance}}", "{{instance}} {{database}}"


def postgres() -> list[Panel]:
    """Return connections, transactions, cache, locks, replication and size."""
    hit, read = rate("postgresql_blks_hit_total"), rate("postgresql_blks_read_total")
    each = f"{EACH}, database"
    backends = per(EACH, of("postgresql_backends"))
    return [
        graph(
            "Postgres connection utilization (%)",
            "percentunit",
            "Connections in use, relative to max_connections.",
            query(share(backends, per(EACH, of("postgresql_connection_max"), "max")), SERVER),
            to=links.TRENDS,
            alert="PostgresConnectionsHigh",
        ),
        graph(
            "Transaction rate (tx/s)",
            "ops",
            "Committed and rolled back transactions.",
            query(
                per("instance, database", rate("postgresql_commits_total")), f"{DATABASE} committed"
            ),
            query(
                per("instance, database", rate("postgresql_rollbacks_total")),
                f"{DATABASE} rolled back",
            ),
            to=links.APPLICATION,
        ),
        graph(
            "Postgres cache hit rate (%)",
            "percentunit",
            "The share of block reads served from shared_buffers.",
            query(share(per(each, hit), per(each, f"{hit} + {read}")), DATABASE),
            to=links.TRENDS,
            alert="PostgresCacheHitRateLow",
        ),
        graph(
            "Deadlocks",
            "deadlocks",
            f"Deadlocks within {window('PostgresDeadlocks')}; each aborted a transaction.",
            query(grown("postgresql_deadlocks_total", "PostgresDeadlocks", each), DATABASE),
            to=links.APPLICATION,
            alert="PostgresDeadlocks",
        ),
        graph(
            "Locks",
            "locks",
            "Locks held or awaited, by mode.",
            query(per("instance, mode", of("postgresql_database_locks")), "{{instance}} {{mode}}"),
            to=links.APPLICATION,
        ),
        graph(
            "Row changes (rows/s)",
            "rows/s",
            "Inserted, updated and deleted rows.",
            *(
                query(
                    per("instance, database", rate(f"postgresql_tup_{change}_total")),
                    f"{DATABASE} {change}",
                )
                for change in ("inserted", "updated", "deleted")
            ),
            to=links.APPLICATION,
        ),
        graph(
            "Replication lag (bytes)",
            "bytes",
            "WAL that the primary has written and a replica has not replayed yet.",
            query(
                per("instance, replication_client", of("postgresql_replication_data_delay_bytes")),
                "{{instance}} {{replication_client}}",
            ),
            to=links.OVERVIEW,
            empty=NO_REPLICA,
        ),
        graph(
            "Replication lag (s)",
            "s",
            "Replay delay of each replica, or the time since it was last connected.",
            compared("PostgresReplicationLagging", "{{instance}} {{replication_client}}"),
            to=links.OVERVIEW,
            empty=NO_REPLICA,
            alert="PostgresReplicationLagging",
        ),
        graph(
            "Database size (bytes)",
            "bytes",
            "Size of each database on disk, including indexes.",
            query(
                per("instance, database", of("postgresql_db_size_bytes")),
                DATABASE,
            ),
            to=links.TRENDS,
        ),
    ]
