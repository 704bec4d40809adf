"""What a drill is, and all there are."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from stack.drills import breaks
from stack.drills.lab import Fired, Lab

RECEIVERS = {"critical": "pager", "warning": "tickets"}
Broken = Callable[[Lab], AbstractContextManager[None]]


@dataclass(frozen=True)
class Drill:
    """One way to break the pipeline, and what people shall be told.

    Args:
        name: as on the command line.
        broken: breaks it inside.
        alert: of Prometheus: its receiver is told of it, once.
        logfire: of Logfire: fires there too, or alone; asked of the stand-in.
        also: names of alerts that may be told as well.
        spreads: others suffer from it, so it is watched longer.
    """

    name: str
    broken: Broken
    alert: Fired | None
    logfire: str = ""
    also: frozenset[str] = frozenset()
    spreads: bool = False

    @property
    def breaks(self) -> str:
        """What it does, in a sentence."""
        return (self.broken.__doc__ or "").strip().splitlines()[0]

    @property
    def receiver(self) -> str:
        """Who is told."""
        return RECEIVERS[self.alert.severity] if self.alert else "Logfire"

    @property
    def expected(self) -> str:
        """What is told: the name of an alert."""
        return self.alert.name if self.alert else self.logfire


def drill(
    name: str,
    broken: Broken,
    alert: str = "",
    *,
    logfire: str = "",
    also: str = "",
    spreads: bool = False,
) -> Drill:
    """Declare a drill; `alert` is "name severity pillar", `also` names others."""
    fired = Fired(*alert.split()) if alert else None
    return Drill(name, broken, fired, logfire, frozenset(also.split()), spreads)


# In this order on one pipeline: what burns an error budget comes before the outages of databases,
# which silence that for hours, or after all others.
DRILLS = (
    drill("token-refused", breaks.token_refused, "BackendTokenRefused critical pipeline"),
    drill("collector-down", breaks.collector_down, "CollectorDown critical pipeline"),
    drill("workers-gone", breaks.workers_gone, "AgentWorkersMissing critical queue"),
    drill("cpu-busy", breaks.cpu_busy, "HostCpuHigh warning host"),
    drill("disk-full", breaks.disk_full, "HostDiskSpaceLow critical host"),
    drill(
        "tasks-failing",
        breaks.tasks_failing,
        "AgentSuccessBudgetBurn critical application",
        logfire="AgentTaskFailureRateHigh",
    ),
    drill(
        "connections-taken",
        breaks.connections_taken,
        "PostgresConnectionsHigh critical postgresql",
    ),
    drill(
        "table-locked",
        breaks.table_locked,
        "DatabaseConnectionIssues critical application",
        spreads=True,
    ),
    drill("redis-down", breaks.redis_down, "RedisDown critical redis", spreads=True),
    drill("postgres-down", breaks.postgres_down, "PostgresDown critical postgresql", spreads=True),
    drill(
        "postgres-slow",
        breaks.postgres_slow,
        logfire="ApplicationLatencyHigh",
        also="LatencyBudgetBurn AgentQueueGrowing",
    ),
)
