"""Agents that are replaced while the service works: producers hold what they cannot send."""

from otelcol_runner.polling import poll_until

from tests.cluster.backends import api, logfire
from tests.cluster.load import Load, missing, whole_trace
from tests.cluster.overlays import Overlay, applied

ENOUGH = 20  # tasks


@applied("faulty")
def test_no_trace_is_lost_while_agents_are_rolled(overlay: Overlay) -> None:
    kubectl = overlay.kubectl
    with api(kubectl) as client, logfire(kubectl) as backend:
        whole = whole_trace(client, backend)
        with Load(client) as load:
            poll_until(lambda: len(load.sent) > ENOUGH, "tasks before the roll-out")
            kubectl.run("rollout", "restart", "daemonset/agent", "--namespace=agentical")
            overlay.wait()
            sent = load.finish()
        assert missing(backend, sent, whole, timeout=60) == 0
