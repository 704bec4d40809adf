"""The cgroups of the nodes: one below the root for all, in every hierarchy, removed at the end."""

from collections.abc import Iterable
from pathlib import Path

import psutil
from otelcol_runner.polling import NotSeenError, poll_until

from stack.errors import UserError
from tests.cluster.machine.addresses import NAME, NODES

V2_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids")
CPUSET = ("cpuset.cpus", "cpuset.mems")


def hierarchies() -> list[Path]:
    """Return where cgroups are mounted: one place with v2, several with v1, or both kinds."""
    mounts = [part for part in psutil.disk_partitions(all=True) if part.fstype.startswith("cgroup")]
    return [Path(part.mountpoint) for part in mounts]


def create() -> None:
    """Make a cgroup for each node. Raises `UserError`."""
    for root in hierarchies():
        top = root / NAME
        for folder in (top, *(top / place.name for place in NODES)):
            try:
                folder.mkdir()
                prepare(folder)
            except OSError as error:
                raise UserError(f"the cgroup {folder} cannot be made: {error.strerror}") from None


def prepare(folder: Path) -> None:
    """Give a new cgroup what it needs before it can have processes or children."""
    for name in CPUSET:  # of v1 alone: empty in a new one, and then it takes no process
        above = folder.parent / name
        if above.exists() and not (folder.parent / "cgroup.controllers").exists():
            (folder / name).write_text(above.read_text())
    available = folder.parent / "cgroup.controllers"
    there = available.read_text().split() if available.exists() else []
    if wanted := [f"+{name}" for name in V2_CONTROLLERS if name in there]:  # none beside v1
        (folder.parent / "cgroup.subtree_control").write_text(" ".join(wanted))


def remove(timeout: float = 30) -> None:
    """Remove them once their processes have ended. Raises `UserError` with those that have not."""
    try:
        poll_until(lambda: sum(map(left, tops())) == 0, "no cgroup", timeout=timeout)
    except NotSeenError:
        alive = ", ".join(f"{name} ({pid})" for pid, name in sorted(processes().items()))
        still = ", ".join(str(top) for top in tops() if top.exists())
        raise UserError(f"these cgroups could not be removed: {still}; in them: {alive}") from None


def tops() -> list[Path]:
    """Return the cluster's cgroup in each hierarchy."""
    return [root / NAME for root in hierarchies()]


def left(top: Path) -> bool:
    """Remove a cgroup and those below it as far as possible; tell whether some is left."""
    for folder in below(top):
        try:
            folder.rmdir()
        except OSError:
            continue
    return top.exists()


def below(top: Path) -> Iterable[Path]:
    """Return all cgroups, the deepest first."""
    every = [path for path in top.rglob("*") if path.is_dir()] if top.exists() else []
    return (*sorted(every, key=lambda path: len(path.parts), reverse=True), top)


def processes() -> dict[int, str]:
    """Return the processes in these cgroups."""
    found: dict[int, str] = {}
    for top in tops():
        for file in top.rglob("cgroup.procs"):
            for number in map(int, file.read_text().split()):
                found[number] = psutil.Process(number).name() if psutil.pid_exists(number) else "?"
    return found
