"""A node is drained although pods on it are not ready and cannot become so."""

from collections import Counter

from otelcol_runner.polling import poll_until

from tests.cluster.kubectl import NAMESPACE, Kubectl
from tests.cluster.overlays import Overlay, applied
from tests.cluster.pods import running

SECONDS = 90
SELECTOR = "--pod-selector=app.kubernetes.io/name=agentical"
FLAGS = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={SECONDS}s", SELECTOR)
MOVABLE = "--selector=app.kubernetes.io/component in (api, worker)"
DATABASES = "--namespace=databases"


@applied("production")
def test_a_node_with_pods_that_are_not_ready_is_drained(overlay: Overlay) -> None:
    kubectl = overlay.kubectl
    if not drainable(kubectl):  # an earlier drain has left all pods on one node
        kubectl.run("delete", "pods", MOVABLE, f"--namespace={NAMESPACE}", timeout=120)
        overlay.wait()
    nodes = drainable(kubectl)
    where = [(pod.node, pod.component) for pod in running(kubectl)]
    assert nodes, f"no node has an API, and one gateway and one worker at most: {where}"
    node = min(nodes)
    try:
        kubectl.run("scale", "deployment/postgres", "--replicas=0", DATABASES)
        poll_until(lambda: unready(kubectl) == 2, "two APIs without Postgres", timeout=90)
        kubectl.run("drain", node, *FLAGS, timeout=SECONDS + 30)
        left = {pod.component for pod in running(kubectl) if pod.node == node}
        assert left - {"client"} == {"agent"}  # a client of the tests belongs to no workload
    finally:
        kubectl.run("scale", "deployment/postgres", "--replicas=1", DATABASES)
        kubectl.run("uncordon", node)
    overlay.wait()


def drainable(kubectl: Kubectl) -> set[str]:
    """Return the nodes with an API, and one gateway and one worker at most: budgets let one go.

    The next would stay: a gateway with a local volume starts nowhere else, and a new worker is not
    ready without Postgres.
    """
    pods = running(kubectl)
    crowded = Counter((pod.node, pod.component) for pod in pods)
    busy = {node for (node, name), n in crowded.items() if n > 1 and name in {"gateway", "worker"}}
    return {pod.node for pod in pods if pod.component == "api"} - busy


def unready(kubectl: Kubectl) -> int:
    """Return how many API pods are not ready."""
    found = kubectl.json("get", "deployment", "api", f"--namespace={NAMESPACE}")
    return int(found["status"].get("unavailableReplicas", 0))
