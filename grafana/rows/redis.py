"""The panels of Redis, from the server's own metrics."""

from grafana import links
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import grown, of, query, rate, share

EACH, SERVER = "job, instance, host", "{{instance}}"


def redis() -> list[Panel]:
    """Return memory, hit rate, commands, clients and keys."""
    hits, misses = rate("redis_keyspace_hits_total"), rate("redis_keyspace_misses_total")
    return [
        graph(
            "Redis memory utilization (%)",
            "percentunit",
            "Memory usage relative to maxmemory; empty without a limit.",
            query(share(of("redis_memory_used_bytes"), of("redis_maxmemory_bytes")), SERVER),
            to=links.TRENDS,
            empty="No limit: maxmemory of Redis is 0.",
            alert="RedisMemoryHigh",
        ),
        graph(
            "Redis memory usage (bytes)",
            "bytes",
            "Memory used by the data, and resident memory of the process.",
            query(of("redis_memory_used_bytes"), f"{SERVER} data"),
            query(of("redis_memory_rss_bytes"), f"{SERVER} process"),
            to=links.TRENDS,
        ),
        graph(
            "Redis hit rate (%)",
            "percentunit",
            "The share of key lookups that found the key.",
            query(share(hits, f"({hits} + {misses})"), SERVER),
            to=links.APPLICATION,
            empty="No key was looked up in this time.",
        ),
        graph(
            "Command rate (commands/s)",
            "ops",
            "Commands processed by the server.",
            query(rate("redis_commands_processed_total"), SERVER),
            to=links.APPLICATION,
        ),
        graph(
            "Evicted keys",
            "keys",
            f"Keys evicted within {window('RedisEvictingKeys')} because of maxmemory.",
            query(grown("redis_keys_evicted_total", "RedisEvictingKeys", EACH), SERVER),
            to=links.TRENDS,
            alert="RedisEvictingKeys",
        ),
        graph(
            "Connected clients",
            "connections",
            "Connected clients, and those blocked in a blocking command.",
            query(of("redis_clients_connected"), f"{SERVER} connected"),
            query(of("redis_clients_blocked"), f"{SERVER} blocked"),
            to=links.APPLICATION,
        ),
        graph(
            "Rejected connections",
            "connections",
            f"Connections over maxclients within {window('RedisRejectingConnections')}.",
            query(
                grown("redis_connections_rejected_total", "RedisRejectingConnections", EACH), SERVER
            ),
            to=links.APPLICATION,
            alert="RedisRejectingConnections",
        ),
        graph(
            "Expired keys (keys/s)",
            "keys/s",
            "Keys removed because their TTL expired.",
            query(rate("redis_keys_expired_total"), SERVER),
            to=links.TRENDS,
        ),
        graph(
            "Keys",
            "keys",
            "Number of keys in each database.",
            query(of("redis_db_keys"), "{{instance}} {{db}}"),
            to=links.TRENDS,
            empty="Redis holds no keys.",
        ),
    ]
