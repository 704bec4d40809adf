"""Volumes for the gateways in a cluster without a provisioner: folders of its nodes."""

from typing import Any

from tests.cluster.kubectl import as_list
from tests.cluster.running import Cluster

FOLDER = "/var/lib/agentical-volumes"
EACH = 3  # on each node; production has three gateways
CLASS = "folders"
STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": CLASS,
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}


def provide(cluster: Cluster) -> None:
    """Make the volumes; a cluster that existed before has its own way to."""
    if cluster.on_node is None:
        return
    items: list[dict[str, Any]] = [STORAGE_CLASS]
    for node in cluster.kubectl.json("get", "nodes")["items"]:
        name = node["metadata"]["name"]
        for number in range(EACH):
            cluster.on_node(name, "mkdir", "-p", f"{FOLDER}/{number}").check_returncode()
            items.append(volume(name, number))
    cluster.kubectl.apply(as_list(items))


def volume(node: str, number: int) -> dict[str, Any]:
    """Return the volume of one folder of a node."""
    there = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{node}-{number}"},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": CLASS,
            "local": {"path": f"{FOLDER}/{number}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [there]}]}},
        },
    }
