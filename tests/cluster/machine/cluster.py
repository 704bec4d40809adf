"""The whole cluster on this machine, from nothing to ready add-ons, and back to nothing."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from otelcol_runner.lifetime import temporary_folder
from otelcol_runner.polling import poll_until

from stack.paths import ROOT, cache_dir
from stack.pipeline.interrupts import undisturbed
from stack.tools.progress import Report, say
from tests.cluster.kubectl import Kubectl
from tests.cluster.machine import cgroups, needs, traces
from tests.cluster.machine.addons import install
from tests.cluster.machine.addresses import NODES
from tests.cluster.machine.certificates import make_all
from tests.cluster.machine.control_plane import control_plane
from tests.cluster.machine.lock import alone
from tests.cluster.machine.namespaces import Namespaces
from tests.cluster.machine.network import make_switch, plug_in_host, unplug_host
from tests.cluster.machine.node import node
from tests.cluster.machine.programs import kubernetes
from tests.cluster.machine.template import template
from tests.cluster.running import Cluster

PREFIX = "cluster-"  # of its folder
LOGS = ROOT / "build" / "cluster"
NODES_SECONDS = 120


@contextmanager
def started(report: Report = say) -> Iterator[Cluster]:
    """Run a cluster. Raises `UserError`: it cannot, or it has left something behind."""
    needs.check()
    with alone():
        # Of a run that was killed: all else of it has ended by itself.
        cgroups.remove()
        unplug_host()
        remove(*cache_dir().glob(f"{PREFIX}????????????"))
        needs.check_addresses()
        with stage("images", report):
            images = template(report)
        before = traces.seen()
        with ending(report) as stack:
            yield running(stack, images, report)
        with stage("nothing left behind", report):
            traces.check(before)


@contextmanager
def ending(report: Report) -> Iterator[ExitStack]:
    """Yield a stack that is not interrupted while it ends."""
    stack = ExitStack()
    try:
        yield stack
    finally:
        with undisturbed(), stage("the end", report):
            stack.close()


def running(stack: ExitStack, images: Path, report: Report) -> Cluster:
    """Start everything; the stack ends it."""
    state = temporary_folder(PREFIX, cache_dir())
    stack.callback(remove, state)
    stack.callback(keep_logs, state)
    kubectl = prepared(state)
    stack.callback(cgroups.remove)
    with stage("network and control plane", report):
        cgroups.create()
        switch = stack.enter_context(Namespaces("switch", ("net",), state))
        make_switch(switch)
        stack.callback(unplug_host)
        plug_in_host(switch)
        stack.enter_context(control_plane(switch, state, kubectl))
    with stage("nodes", report):
        nodes: dict[str, Namespaces] = {}
        for place in NODES:
            nodes[place.name] = stack.enter_context(node(place, switch, state, images))
        wait_for_nodes(kubectl, [switch, *nodes.values()])
    with stage("add-ons", report):
        install(kubectl)

    def on_node(name: str, *command: str) -> subprocess.CompletedProcess[str]:
        return nodes[name].completed(*command, timeout=60)

    origin = f"ran in a cluster on this machine: {len(nodes)} nodes, {version(kubectl)}"
    return Cluster(kubectl, origin, state / "audit.log", on_node)


def prepared(state: Path) -> Kubectl:
    """Write certificates and kubeconfigs, and return kubectl as the administrator."""
    (state / "pki").mkdir()
    make_all(state / "pki")
    program = state / "kubectl"
    program.symlink_to(kubernetes())
    return Kubectl(program, state / "pki" / "admin.kubeconfig", state / "kubectl-cache")


def wait_for_nodes(kubectl: Kubectl, parts: Sequence[Namespaces]) -> None:
    """Wait until every node says that it is ready. Raises `UserError` if a part has ended."""

    def ready() -> bool:
        for part in parts:
            part.check()
        conditions = [
            condition["status"]
            for item in kubectl.json("get", "nodes")["items"]
            for condition in item["status"]["conditions"]
            if condition["type"] == "Ready"
        ]
        return conditions == ["True"] * len(NODES)

    poll_until(ready, "both nodes ready", timeout=NODES_SECONDS, interval=0.3)


def version(kubectl: Kubectl) -> str:
    """Return the API server's version."""
    return str(kubectl.json("version")["serverVersion"]["gitVersion"])


def keep_logs(state: Path) -> None:
    """Keep the logs of all parts and pods, in place of those of the run before."""
    remove(LOGS)
    for pattern in ("*.log", "*/log/pods/*/*/*.log"):
        for path in state.glob(pattern):
            kept = LOGS / path.relative_to(state)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)


def remove(*folders: Path) -> None:
    """Remove clusters' folders."""
    subprocess.run(["rm", "-rf", *map(str, folders)], timeout=300, check=False)


@contextmanager
def stage(what: str, report: Report) -> Iterator[None]:
    """Report a stage when it has ended, with its time."""
    began = time.monotonic()
    yield
    report(f"  cluster: {what}, {time.monotonic() - began:.1f} s")
