"""Which workloads have the pods that they want."""

from typing import Any

from tests.cluster.kubectl import Kubectl

Object = dict[str, Any]
KINDS = "deployments,daemonsets,statefulsets,horizontalpodautoscalers"


def not_ready(kubectl: Kubectl, namespace: str) -> list[str]:
    """Return the workloads that are not ready, and the autoscalers below their minimum."""
    found = kubectl.json("get", KINDS, f"--namespace={namespace}")["items"]
    return [
        f"{item['kind']} {item['metadata']['name']}: {counts(item)}"
        for item in found
        if not is_ready(item)
    ]


def is_ready(item: Object) -> bool:
    """Tell whether the controller saw the newest version, and all pods are of it and ready."""
    seen = item["status"].get("observedGeneration", 0)
    if item["kind"] == "HorizontalPodAutoscaler":
        return bool(item["status"].get("currentReplicas", 0) >= item["spec"]["minReplicas"])
    return bool(seen >= item["metadata"]["generation"] and len(set(counts(item))) == 1)


def counts(item: Object) -> tuple[int, ...]:
    """Return how many pods there should be, are there, are of the newest version, and are ready."""
    spec, status = item["spec"], item["status"]
    if item["kind"] == "DaemonSet":
        names = ("currentNumberScheduled", "updatedNumberScheduled", "numberReady")
        return (status["desiredNumberScheduled"], *(status.get(name, 0) for name in names))
    if item["kind"] == "HorizontalPodAutoscaler":
        return (spec["minReplicas"], status.get("currentReplicas", 0))
    names = ("replicas", "updatedReplicas", "readyReplicas")
    return (spec["replicas"], *(status.get(name, 0) for name in names))
