"""The cluster that tests use: one that exists already, or one that is made on this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stack.errors import UserError
from stack.tools.progress import Report
from tests.cluster.kubectl import Kubectl

NO_KUBECTL = "KUBECONFIG is set but kubectl is not on PATH: install it (kubernetes.io/docs/tasks)"


class OnNode(Protocol):
    """Runs a command in the namespaces of a node, as root."""

    def __call__(self, node: str, /, *command: str) -> subprocess.CompletedProcess[str]: ...


@dataclass
class Cluster:
    """A cluster.

    Args:
        kubectl: as its administrator.
        origin: a sentence for the summary.
        audit_log: the API server's, one JSON object a line; None in a cluster that existed before.
        on_node: runs a command on a node; None in a cluster that existed before.
        unseen: what tests could not check here, for the summary.
    """

    kubectl: Kubectl
    origin: str
    audit_log: Path | None = None
    on_node: OnNode | None = None
    unseen: list[str] = field(default_factory=list)


@contextmanager
def running_cluster(report: Report) -> Iterator[Cluster]:
    """Yield the cluster of KUBECONFIG, or one made here. Raises `UserError`."""
    if named := os.environ.get("KUBECONFIG"):
        yield existing(Path(named))
        return
    from tests.cluster.machine.cluster import started

    with started(report) as cluster:
        yield cluster


def existing(kubeconfig: Path) -> Cluster:
    """Return a cluster that runs already. Raises `UserError` where it does not answer."""
    program = shutil.which("kubectl")
    if program is None:
        raise UserError(NO_KUBECTL)
    kubectl = Kubectl(program, kubeconfig)
    version = kubectl.json("version")["serverVersion"]["gitVersion"]
    nodes = len(kubectl.json("get", "nodes")["items"])
    return Cluster(kubectl, f"ran in the cluster of {kubeconfig}: {version}, {nodes} nodes")
