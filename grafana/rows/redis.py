"""The panels of Redis: what the server tells about itself."""

from grafana import links
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import grown, of, query, rate, share

SERVER = "{{instance}}"


def redis() -> list[Panel]:
    """Return what Redis tells about itself."""
    hits, misses = rate("redis_keyspace_hits_total"), rate("redis_keyspace_misses_total")
    return [
        graph(
            "Memory in use",
            "percentunit",
            "Of what maxmemory allows; without a limit there is no line.",
            query(share(of("redis_memory_used_bytes"), of("redis_maxmemory_bytes")), SERVER),
            to=links.TRENDS,
            alert="RedisMemoryHigh",
        ),
        graph(
            "Memory",
            "bytes",
            "What the data takes, and what the process takes from the host.",
            query(of("redis_memory_used_bytes"), f"{SERVER} data"),
            query(of("redis_memory_rss_bytes"), f"{SERVER} process"),
            to=links.TRENDS,
        ),
        graph(
            "Hit rate",
            "percentunit",
            "The share of lookups that found their key.",
            query(share(hits, f"({hits} + {misses})"), SERVER),
            to=links.APPLICATION,
        ),
        graph(
            "Commands per second",
            "ops",
            "Commands that the server processed.",
            query(rate("redis_commands_processed_total"), SERVER),
            to=links.APPLICATION,
        ),
        graph(
            "Keys evicted",
            "keys",
            f"In {window('RedisEvictingKeys')}: thrown away because memory was short.",
            query(grown("redis_keys_evicted_total", "RedisEvictingKeys"), SERVER),
            to=links.TRENDS,
            alert="RedisEvictingKeys",
        ),
        graph(
            "Clients",
            "connections",
            "Clients that are connected, and those that wait in a blocking command.",
            query(of("redis_clients_connected"), f"{SERVER} connected"),
            query(of("redis_clients_blocked"), f"{SERVER} blocked"),
            to=links.APPLICATION,
        ),
        graph(
            "Connections rejected",
            "connections",
            f"In {window('RedisRejectingConnections')}: clients turned away, being too many.",
            query(grown("redis_connections_rejected_total", "RedisRejectingConnections"), SERVER),
            to=links.APPLICATION,
            alert="RedisRejectingConnections",
        ),
        graph(
            "Keys expired per second",
            "keys/s",
            "Their time was over, as was asked.",
            query(rate("redis_keys_expired_total"), SERVER),
            to=links.TRENDS,
        ),
        graph(
            "Keys",
            "keys",
            "Keys of each database.",
            query(of("redis_db_keys"), "{{instance}} {{db}}"),
            to=links.TRENDS,
        ),
    ]
