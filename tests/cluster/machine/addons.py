"""What pods need of a cluster: names, enforced network policies, and usage for autoscalers."""

from pathlib import Path

from tests.cluster.kubectl import Kubectl

ADDONS = Path(__file__).parent.parent / "addons"
# The rest is also for clusters that exist: the tests' own.
OWN = ("dns", "network-policies", "metrics-server")
NEEDED_FIRST = ("deployment/coredns", "daemonset/kube-network-policies")
NAMESPACE = "kube-system"
SECONDS = 120


def install(kubectl: Kubectl) -> None:
    """Apply the add-ons and wait until pods can have names and connections. Raises `UserError`.

    Usage is not waited for: it takes 10 s more, and a test of its own asks for it later.
    """
    kubectl.apply("\n---\n".join((ADDONS / f"{name}.yaml").read_text() for name in OWN))
    place = f"--namespace={NAMESPACE}"
    for workload in NEEDED_FIRST:
        wait = ("rollout", "status", workload, f"--timeout={SECONDS}s")
        kubectl.run(*wait, place, timeout=SECONDS + 10)
