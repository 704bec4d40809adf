"""Pods of the cluster: where they run, and a program in each, also in images without a shell."""

from dataclasses import dataclass
from typing import Any, Self

from otelcol_runner.polling import poll_until

from tests.cluster.kubectl import NAMESPACE, Kubectl

IMAGE = "agentical/app:0.1.0"
# Containers that have Python; a debug container is added to other pods.
WITH_PYTHON = {
    "api": "api",
    "client": "client",
    "gateway": "window",
    "logfire": "stand-in",
    "worker": "worker",
}
ADDED = "probe"
# The first process of a container ignores SIGTERM otherwise, and its pod ends after 60 s.
WAITS = "trap exit TERM; sleep infinity & wait"
LABELS = ("app.kubernetes.io/component", "app.kubernetes.io/name", "app", "k8s-app")


@dataclass(frozen=True)
class Pod:
    """A running pod; its component is what its labels name first."""

    namespace: str
    name: str
    component: str
    ip: str
    node: str
    node_ip: str

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        meta, status = item["metadata"], item["status"]
        labels = [meta["labels"][name] for name in LABELS if name in meta.get("labels", {})]
        component = labels[0] if labels else meta["name"]
        node = item["spec"]["nodeName"]
        address = status["podIP"], node, status["hostIP"]
        return cls(meta["namespace"], meta["name"], component, *address)


def running(kubectl: Kubectl, namespace: str = NAMESPACE) -> list[Pod]:
    """Return the pods that run and are not being deleted; "" is every namespace."""
    where = f"--namespace={namespace}" if namespace else "--all-namespaces"
    found = kubectl.json("get", "pods", where)["items"]
    return sorted((Pod.of(item) for item in found if is_running(item)), key=lambda pod: pod.name)


def of_component(kubectl: Kubectl, component: str, namespace: str = NAMESPACE) -> list[Pod]:
    """Return the running pods of one component."""
    return [pod for pod in running(kubectl, namespace) if pod.component == component]


def is_running(item: dict[str, Any]) -> bool:
    started = item["status"].get("phase") == "Running" and "podIP" in item["status"]
    return started and "deletionTimestamp" not in item["metadata"]


def with_python(kubectl: Kubectl, pod: Pod) -> str:
    """Return a container of the pod that has Python; it is added where there is none."""
    if pod.component in WITH_PYTHON:
        return WITH_PYTHON[pod.component]
    if not is_added(kubectl, pod):
        place = (f"--namespace={pod.namespace}", f"pod/{pod.name}", f"--container={ADDED}")
        what = (f"--image={IMAGE}", "--image-pull-policy=IfNotPresent", "--profile=restricted")
        kubectl.run("debug", *place, *what, "--", "sh", "-c", WAITS)
    poll_until(lambda: is_added(kubectl, pod), f"the debug container of {pod.name}", timeout=60)
    return ADDED


def is_added(kubectl: Kubectl, pod: Pod) -> bool:
    """Tell whether the debug container runs."""
    found = kubectl.json("get", "pod", pod.name, f"--namespace={pod.namespace}")
    added = found["status"].get("ephemeralContainerStatuses", [])
    return any("running" in container["state"] for container in added)
