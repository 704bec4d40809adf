"""The overlays in a cluster, one at a time, applied as docs/kubernetes.md says."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from otelcol_runner.polling import poll_until

from tests.cluster.kills import Kills
from tests.cluster.kubectl import NAMESPACE, OVERLAYS, Kubectl, as_list
from tests.cluster.readiness import not_ready
from tests.cluster.running import Cluster

Object = dict[str, Any]
MANIFESTS = Path(__file__).parent / "manifests"
FOLDERS = {
    "local": OVERLAYS / "local",
    "faulty": MANIFESTS / "faulty",
    "production": OVERLAYS / "production",
}
READY_SECONDS = 180
WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")


def applied(*names: str) -> pytest.MarkDecorator:
    """Run a test with each of these overlays; pytest groups tests by it, to apply each once."""
    return pytest.mark.parametrize("overlay", names, indirect=True)


@dataclass
class Overlay:
    """What is applied: the overlay's name, its objects, and what kubectl said of them.

    `kills` end the gateway's guard meanwhile, in `local`.
    """

    cluster: Cluster
    name: str = ""
    objects: list[Object] = field(default_factory=list)
    said: str = ""
    kills: Kills | None = None

    @property
    def kubectl(self) -> Kubectl:
        return self.cluster.kubectl

    @property
    def folder(self) -> Path:
        return FOLDERS[self.name]

    def switch(self, name: str) -> None:
        """Apply an overlay in place of the one before, and wait until it is ready."""
        wanted = self.kubectl.objects(FOLDERS[name])
        self._delete(obsolete(self.objects, wanted))
        self.name, self.objects = name, wanted
        self.said = self.kubectl.apply_overlay(str(self.folder))
        self.wait()

    def wait(self, *, timeout: float = READY_SECONDS) -> None:
        """Wait until every workload has the pods that it wants, and all are ready."""
        poll_until(
            lambda: not not_ready(self.kubectl, NAMESPACE),
            f"the pods of the overlay {self.name}",
            timeout=timeout,
            interval=0.5,
            seen=lambda: not_ready(self.kubectl, NAMESPACE),
        )

    def _delete(self, items: Iterable[Object]) -> None:
        if found := list(items):
            command = ("delete", "--ignore-not-found", "--filename", "-")
            self.kubectl.run(*command, text=as_list(found), timeout=120)


def obsolete(before: Iterable[Object], wanted: Iterable[Object]) -> list[Object]:
    """Return what only the first have, and workloads that differ.

    These are ready earlier when they are made anew, and without the replicas of an autoscaler.
    """
    kept = {identity(item): item for item in wanted}
    gone = [item for item in before if identity(item) not in kept]
    differing = [item for item in before if kept.get(identity(item), item) != item]
    return gone + [item for item in differing if item["kind"] in WORKLOADS]


def identity(item: Object) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]
