"""What a cluster could leave on this machine, seen before and after it."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import psutil
from otelcol_runner.polling import NotSeenError, poll_until

from stack.errors import UserError
from tests.cluster.machine import cgroups

Traces = dict[str, frozenset[str]]
KINDS = ("ipc", "mnt", "net", "pid", "uts")
# Counters, and what the kernel draws anew for each reader.
CHANGE_BY_THEMSELVES = (
    "fs/aio-nr",
    "fs/dentry-state",
    "fs/file-nr",
    "fs/inode-nr",
    "fs/inode-state",
    "fs/quota",
    "kernel/ns_last_pid",
    "kernel/pty/nr",
    "kernel/random",
    "net/netfilter/nf_conntrack_count",
)
ENDED_BY_OTHERS = ("cgroups", "files", "namespaces")  # a cluster ends only what it has made
# Where the programs put things unless told otherwise.
PLACES = (
    "etc/cni/*",
    "etc/kubernetes",
    "opt/cni",
    "opt/containerd",
    "run/cni-ipam",
    "run/containerd",
    "run/netns/*",
    "tmp/runc-process*",
    "usr/libexec/kubernetes",
    "var/lib/cni",
    "var/lib/containerd",
    "var/lib/etcd",
    "var/lib/kubelet",
    "var/log/containers",
    "var/log/pods",
)
PER_INTERFACE = ("conf", "neigh")  # they come and go with interfaces, which are compared themselves


def seen() -> Traces:
    """Return what is there: every entry is a line that says what it is."""
    return {
        "interfaces": frozenset(psutil.net_if_addrs()),
        "routes": lines("ip", "route", "show", "table", "all"),
        "named network namespaces": lines("ip", "netns", "list"),
        "rules of iptables": lines("iptables-save") - {""},
        "cgroups": frozenset(
            str(path) for root in cgroups.hierarchies() for path in root.glob("*/")
        ),
        "mounts": frozenset(part.mountpoint for part in psutil.disk_partitions(all=True)),
        "kernel settings": frozenset(settings()),
        "namespaces": frozenset(namespaces()),
        "files": frozenset(str(path) for place in PLACES for path in Path("/").glob(place)),
    }


def check(before: Traces) -> None:
    """Compare with what was there before.

    Raises:
        UserError: something is there that was not, or is not any more; with each of them.
    """

    def nothing() -> bool:
        return not differences(before, seen())

    try:
        poll_until(nothing, "a machine as before", timeout=20, interval=0.5)
    except NotSeenError:
        found = "\n".join(differences(before, seen()))
        raise UserError(f"the cluster has ended, and this machine differs:\n{found}") from None


def differences(before: Traces, after: Traces) -> list[str]:
    """Return each difference as a line."""
    return [
        f"{sign} {kind}: {entry}"
        for kind in before
        for sign, entries in (("+", after[kind] - before[kind]), ("-", before[kind] - after[kind]))
        if sign == "+" or kind not in ENDED_BY_OTHERS
        for entry in sorted(entries)
    ]


def lines(*argv: str) -> frozenset[str]:
    """Return what a command prints, without comments and counters of packets."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    kept = (line.strip() for line in done.stdout.splitlines() if not line.startswith("#"))
    kept = (line for line in kept if " expires " not in line)  # a router's, told from time to time
    return frozenset(line.partition(" [")[0] if line.startswith(":") else line for line in kept)


def groups() -> Iterable[Path]:
    """Return the cgroups below each root."""
    return (path for root in cgroups.hierarchies() for path in root.glob("*/"))


def settings() -> Iterable[str]:
    """Return the kernel's settings, but for those that change by themselves."""
    root = Path("/proc/sys")
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in PER_INTERFACE]
        for file in files:
            path = Path(folder, file)
            name = str(path.relative_to(root))
            if not name.startswith(CHANGE_BY_THEMSELVES) and (value := read(path)) is not None:
                yield f"{name} = {value}"


def read(path: Path) -> str | None:
    """Return a setting; None for those that can only be written."""
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return None


def namespaces() -> Iterable[str]:
    """Return the namespaces of all processes but for those in the Docker engine's containers."""
    for process in Path("/proc").glob("[0-9]*"):
        if "/docker/" in (read(process / "cgroup") or ""):
            continue
        for kind in KINDS:
            try:
                yield str((process / "ns" / kind).readlink())
            except OSError:  # it has ended
                break
