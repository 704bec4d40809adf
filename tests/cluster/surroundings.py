"""What the overlays expect around them: databases, Prometheus by its operator, and clients."""

from otelcol_runner.polling import poll_until

from tests.cluster import monitoring, volumes
from tests.cluster.kubectl import NAMESPACE, Kubectl
from tests.cluster.overlays import MANIFESTS
from tests.cluster.pods import running
from tests.cluster.readiness import not_ready
from tests.cluster.running import Cluster

SECONDS = 180
CLIENTS = (NAMESPACE, "ingress", "monitoring", "stranger")


def surround(cluster: Cluster) -> None:
    """Apply them; `wait` is for later, so that an overlay starts meanwhile."""
    kubectl = cluster.kubectl
    volumes.provide(cluster)
    kubectl.create("namespace", NAMESPACE)  # one of the clients is there
    kubectl.apply(MANIFESTS / "servers.yaml")
    monitoring.install(kubectl)
    for name in ("prometheus", "clients"):
        kubectl.apply(MANIFESTS / f"{name}.yaml")


def wait(kubectl: Kubectl) -> None:
    """Wait until they are ready."""
    poll_until(
        lambda: not missing(kubectl),
        "databases, Prometheus and clients",
        timeout=SECONDS,
        interval=0.5,
        seen=lambda: missing(kubectl),
    )


def missing(kubectl: Kubectl) -> list[str]:
    """Return what is not ready yet."""
    there = {(pod.namespace, pod.component) for pod in running(kubectl, "")}
    wanted = {*((name, "client") for name in CLIENTS), ("monitoring", "prometheus")}
    waiting = [f"{component} in {namespace}" for namespace, component in wanted - there]
    return [*waiting, *not_ready(kubectl, "databases"), *not_ready(kubectl, "monitoring")]
