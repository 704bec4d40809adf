"""What a machine must have so that a cluster can run on it.

`python -m tests.cluster.machine.needs` prints what is missing, and exits with 1 then.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import psutil

from stack.errors import UserError
from stack.paths import cache_dir
from tests.cluster.machine import cgroups
from tests.cluster.machine.network import routes_in_the_way
from tests.cluster.machine.programs import cni_plugins
from tests.containers.docker import engine

PROGRAMS = ("containerd", "ctr", "runc", "iptables", "conntrack", "ip", "nsenter", "unshare")
MEMORY_GIB = 6
OTHER_WAY = "or set KUBECONFIG to a cluster that exists (.ci/kind-cluster makes one, without root)"
SHADOWED = ("/run", "/var/lib", "/var/log")  # a node has its own
QUEUE_RULE = "iptables -w -t mangle -A POSTROUTING -j NFQUEUE --queue-num 98"
OVERLAY = (
    'cd "$1" && mkdir lower upper work merged && '
    "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged"
)


def check() -> None:
    """Raise a `UserError` that names all that is missing, and the other way."""
    if missing := list(lacking()):
        raise UserError(f"a cluster cannot run here: {'; '.join(missing)}; {OTHER_WAY}")


def lacking() -> Iterator[str]:
    """Return what is missing, each as part of a sentence."""
    if sys.platform != "linux":
        yield "this is not Linux"
        return
    if os.geteuid() != 0:
        yield "nodes need root"
        return
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        yield f"{', '.join(absent)} missing: run .ci/cluster-packages"
        return
    for find in (plugins, docker_engine, memory, namespaces, queue, cgroup, folder):
        if found := find():
            yield found


def plugins() -> str:
    """Say whether the CNI plugins are missing."""
    try:
        cni_plugins()
    except UserError as error:
        return str(error)
    return ""


def docker_engine() -> str:
    """Say whether there is no Docker engine, which pulls or builds the images."""
    return "" if engine() else "no Docker engine answers: start it, or run .ci/docker-engine"


def memory() -> str:
    """Say whether there is too little memory for two nodes and what runs on them."""
    gib = psutil.virtual_memory().available / 2**30
    return "" if gib >= MEMORY_GIB else f"{gib:.1f} GiB of memory are free, {MEMORY_GIB} needed"


def namespaces() -> str:
    """Say why namespaces or mounts cannot be made, as in most containers."""
    kinds = ("--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--mount-proc")
    said = failure("unshare", *kinds, "mount", "-t", "tmpfs", "tmpfs", "/run")
    return said and f"no permission to make namespaces and mounts ({said})"


def queue() -> str:
    """Say whether the kernel cannot give packets to the network policies' program."""
    said = failure("unshare", "--net", "sh", "-c", QUEUE_RULE)
    return said and f"iptables cannot queue packets ({said})"


def cgroup() -> str:
    """Say why no cgroup can be made below the root."""
    for root in cgroups.hierarchies():
        trial = root / "agentical-trial"
        try:
            trial.mkdir(exist_ok=True)
            trial.rmdir()
        except OSError as error:
            return f"no cgroup can be made in {root} ({error.strerror})"
    return "" if cgroups.hierarchies() else "no cgroups are mounted"


def folder() -> str:
    """Say why the cache, which holds the nodes' file systems, is not fit for them."""
    cache = cache_dir()
    if any(cache.is_relative_to(place) for place in SHADOWED):
        return f"{cache} is hidden in a node: set AGENTICAL_CACHE to another folder"
    trial = cache / "overlay-trial"
    trial.mkdir(exist_ok=True)
    try:
        said = failure("unshare", "--mount", "sh", "-c", OVERLAY, "sh", str(trial))
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    return said and f"{cache} cannot hold containers ({said}): set AGENTICAL_CACHE to another disk"


def check_addresses() -> None:
    """Raise a `UserError` where the nodes' addresses are used; by an earlier cluster, too."""
    if routes := routes_in_the_way():
        raise UserError(
            f"a cluster cannot run here: its addresses are used ({routes}); {OTHER_WAY}"
        )


def failure(*argv: str) -> str:
    """Return what a command said where it failed, else nothing."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason"])[-1]


def main() -> None:
    """Print what is missing."""
    try:
        check()
        check_addresses()
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
