"""Alerts on faults in the cluster, with their exact labels."""

from collections.abc import Iterator

import pytest
from otelcol_runner.polling import poll_until

from stack.clients.prometheus import PromQL
from tests.cluster.backends import prometheus
from tests.cluster.kubectl import NAMESPACE
from tests.cluster.overlays import Overlay, applied
from tests.cluster.reports import Labels, alerts

KUBERNETES = {"pillar": "kubernetes"}


@pytest.fixture
def metrics(overlay: Overlay) -> Iterator[PromQL]:
    with prometheus(overlay.kubectl) as client:
        yield client


def await_alert(metrics: PromQL, expected: Labels, timeout: float) -> None:
    name = expected["alertname"]
    poll_until(
        lambda: expected in alerts(metrics, name),
        name,
        timeout=timeout,
        interval=1,
        seen=lambda: alerts(metrics, name),
    )


def restarting(namespace: str, pod: str, container: str) -> Labels:
    place = {"namespace": namespace, "pod": pod, "container": container}
    return {"alertname": "PodRestarting", "severity": "critical", **place, **KUBERNETES}


@applied("faulty")
def test_a_kubelet_whose_certificate_is_not_accepted_raises_an_alert(metrics: PromQL) -> None:
    receiver = {"job": "kubelet_stats", "receiver": "kubelet_stats", "pillar": "pipeline"}
    expected = {"alertname": "ScrapeTargetDown", "severity": "warning", **receiver}
    await_alert(metrics, expected, 180)


@applied("faulty")
def test_a_container_that_crashes_raises_an_alert(metrics: PromQL) -> None:
    await_alert(metrics, restarting("stranger", "crashing", "crashing"), 240)


@applied("faulty")
def test_a_workload_that_is_never_ready_raises_an_alert(metrics: PromQL) -> None:
    place = {"namespace": "stranger", "deployment": "never-ready"}
    expected = {"alertname": "WorkloadNotReady", "severity": "warning", **place, **KUBERNETES}
    await_alert(metrics, expected, 60)


@applied("local")
def test_a_sidecar_that_is_killed_again_and_again_raises_an_alert(
    overlay: Overlay, metrics: PromQL
) -> None:
    assert overlay.kills
    overlay.kills.finish()
    await_alert(metrics, restarting(NAMESPACE, "gateway-0", "guard"), 60)
