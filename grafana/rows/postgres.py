"""The panels of Postgres: what the server tells about itself."""

from grafana import links
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import grown, of, per, query, rate, share

SERVER, DATABASE = "{{instance}}", "{{instance}} {{database}}"


def postgres() -> list[Panel]:
    """Return what Postgres tells about itself."""
    hit, read = rate("postgresql_blks_hit_total"), rate("postgresql_blks_read_total")
    replayed = of("postgresql_wal_delay_seconds", 'operation="replay"')
    backends = per("instance", of("postgresql_backends"))
    return [
        graph(
            "Connections in use",
            "percentunit",
            "Of what max_connections allows.",
            query(share(backends, per("instance", of("postgresql_connection_max"), "max")), SERVER),
            to=links.TRENDS,
            alert="PostgresConnectionsHigh",
        ),
        graph(
            "Transactions per second",
            "ops",
            "Those that were committed, and those rolled back.",
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
            "Cache hit rate",
            "percentunit",
            "The share of pages that were in memory when a query wanted them.",
            query(share(per("instance", hit), per("instance", f"{hit} + {read}")), SERVER),
            to=links.TRENDS,
            alert="PostgresCacheHitRateLow",
        ),
        graph(
            "Deadlocks",
            "deadlocks",
            f"In {window('PostgresDeadlocks')}: transactions ended, each waiting for another.",
            query(
                per("instance, database", grown("postgresql_deadlocks_total", "PostgresDeadlocks")),
                DATABASE,
            ),
            to=links.APPLICATION,
            alert="PostgresDeadlocks",
        ),
        graph(
            "Locks",
            "locks",
            "Locks that are held or waited for, by mode.",
            query(per("instance, mode", of("postgresql_database_locks")), "{{instance}} {{mode}}"),
            to=links.APPLICATION,
        ),
        graph(
            "Rows changed per second",
            "rows/s",
            "Rows that were inserted, updated and deleted.",
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
            "Replication, bytes behind",
            "bytes",
            "What the primary has written and a replica has not yet: sent, flushed or replayed.",
            query(
                per("instance, replication_client", of("postgresql_replication_data_delay_bytes")),
                "{{instance}} {{replication_client}}",
            ),
            to=links.OVERVIEW,
        ),
        graph(
            "Replication, time behind",
            "s",
            "How much older a replica's data is than the primary's.",
            query(
                per("instance, replication_client", replayed, "max"),
                "{{instance}} {{replication_client}}",
            ),
            to=links.OVERVIEW,
            alert="PostgresReplicationLagging",
        ),
        graph(
            "Database size",
            "bytes",
            "What each database takes on disk, indexes included.",
            query(
                per("instance, database", of("postgresql_db_size_bytes")),
                DATABASE,
            ),
            to=links.TRENDS,
        ),
    ]
