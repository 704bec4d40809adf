"""The drills: what each breaks, and which alert it expects."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from stack.drills import breaks
from stack.drills.lab import Fired, Lab

RECEIVERS = {"critical": "pager", "warning": "tickets"}
Broken = Callable[[Lab], AbstractContextManager[None]]


@dataclass(frozen=True)
class Drill:
    """One way to break the pipeline, and the alert it must cause.

    Args:
        name: its name on the command line.
        broken: a context manager that breaks the pipeline.
        alert: the alert in Prometheus; its receiver is notified of it exactly once.
        logfire: the name of the alert in Logfire, evaluated at the stand-in.
        also: names of further alerts that may notify.
        spreads: whether other parts fail too, so that it is watched longer.
    """

    name: str
    broken: Broken
    alert: Fired | None
    logfire: str = ""
    also: frozenset[str] = frozenset()
    spreads: bool = False

    @property
    def breaks(self) -> str:
        """What it does: the first line of the docstring in `breaks`."""
        return (self.broken.__doc__ or "").strip().splitlines()[0]

    @property
    def receiver(self) -> str:
        return RECEIVERS[self.alert.severity] if self.alert else "Logfire"

    @property
    def expected(self) -> str:
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
    """Declare a drill; `alert` is "name severity pillar", `also` a list of names."""
    fired = Fired(*alert.split()) if alert else None
    return Drill(name, broken, fired, logfire, frozenset(also.split()), spreads)


# The order on one pipeline: drills that burn an error budget come before the database outages,
# which inhibit budget alerts for hours, or last.
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
