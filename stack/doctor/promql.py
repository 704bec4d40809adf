"""The PromQL of the doctor: how much a counter grew, without what Prometheus would guess."""

from datetime import timedelta

WINDOW = timedelta(minutes=10)
SECONDS = int(WINDOW.total_seconds())
MINUTES = SECONDS // 60
# Made by the collector from spans and from its own state: no proof that a service sends metrics.
FROM_SPANS = (
    "target_info|agentical_(sampled_)?request(s|_duration).*|agentical_redis_operations.*"
    "|agentical_database_query.*|agentical_agent_task.*|agentical_overflow.*"
)


def counted(counter: str, seconds: int = SECONDS) -> str:
    """Return a query for a counter's growth; a series that begins in this time grew from zero.

    `increase` alone would miss the first value of such a series.
    """
    before = f"last_over_time({counter}[5m] offset {seconds}s)"
    new = f"max_over_time({counter}[{seconds}s]) unless {before}"
    return f"(({new}) or increase({counter}[{seconds}s]))"


def grown(counter: str, seconds: int, *, delay: int) -> str:
    """Return a query for a counter's growth between its samples until `delay` seconds ago.

    It never states more than there was: nothing is extrapolated, and a counter that restarted, or
    of which there is one sample only, yields nothing.
    """
    samples = f"({counter})[{seconds}s:5s] offset {delay}s"
    growth = f"max_over_time({samples}) - min_over_time({samples})"
    return f"(({growth}) and resets({samples}) == 0)"


def text(value: str) -> str:
    """Return a string literal of PromQL."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
