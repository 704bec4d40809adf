"""A gateway that is deleted: what waits in its queue comes back with its volume."""

from otelcol_runner.polling import poll_until

from stack.clients.collector import SelfMetrics
from tests.cluster.backends import api, logfire, send_task
from tests.cluster.kubectl import NAMESPACE, Kubectl
from tests.cluster.load import missing, whole_trace
from tests.cluster.overlays import Overlay, applied
from tests.cluster.pods import of_component

TASKS = 20
HERE = f"--namespace={NAMESPACE}"


@applied("faulty")
def test_what_a_gateway_accepted_survives_its_pod(overlay: Overlay) -> None:
    kubectl = overlay.kubectl
    with api(kubectl) as client:
        with logfire(kubectl) as backend:
            whole = whole_trace(client, backend)
        try:
            scale_backend(overlay, 0)
            before = accepted(kubectl)
            traces = [send_task(client) for _ in range(TASKS)]
            poll_until(
                lambda: accepted(kubectl) >= before + whole * TASKS,
                "the spans in the gateway",
                timeout=60,
                interval=1,
                seen=lambda: (before, whole * TASKS, accepted(kubectl)),
            )
            kubectl.run("delete", "pod", "gateway-0", HERE, timeout=120)
        finally:
            scale_backend(overlay, 1)
    with logfire(kubectl) as backend:
        assert missing(backend, traces, whole, timeout=60) == 0


def scale_backend(overlay: Overlay, replicas: int) -> None:
    """Take the stand-in away, or bring it back, empty; wait for it and for the gateway."""
    kubectl = overlay.kubectl
    kubectl.run("scale", "deployment/logfire", f"--replicas={replicas}", HERE)
    poll_until(
        lambda: len(of_component(kubectl, "logfire")) == replicas, "the stand-in", timeout=60
    )
    overlay.wait()


def accepted(kubectl: Kubectl) -> float:
    """Return how many spans the gateway has accepted since its start."""
    with kubectl.forward(NAMESPACE, "pod/gateway-0", 8888) as url:
        metrics = SelfMetrics.read(f"{url}/metrics")
    assert metrics, "the gateway's metrics"
    return metrics.total("receiver_accepted_spans", receiver="otlp/agents")
