"""OTLP as Kubernetes receivers send it: names become labels, and no objects share a series."""

import time
from collections.abc import Iterator, Mapping

import pytest
from otelcol_runner.telemetry import gauge
from pytest_otelcol.collector import Otelcol

from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline
from tests.support.shapes import kubernetes

NOTHING: Mapping[str, str] = {}
CONTAINER = {"job", "instance", "namespace", "pod", "container"}
SERIES = {
    "container_cpu_usage_seconds_total": CONTAINER,
    "container_cpu_usage": CONTAINER,
    "container_memory_usage_bytes": CONTAINER,
    "container_start_time_seconds": CONTAINER,
    "k8s_container_restarts": CONTAINER | {"node"},
    "k8s_pod_phase": {"job", "instance", "namespace", "pod", "node"},
    "k8s_deployment_available": {"job", "instance", "namespace", "deployment"},
    "k8s_deployment_desired": {"job", "instance", "namespace", "deployment"},
    "k8s_statefulset_desired_pods": {"job", "instance", "namespace", "statefulset"},
    "k8s_statefulset_ready_pods": {"job", "instance", "namespace", "statefulset"},
    "k8s_daemonset_desired_scheduled_nodes": {"job", "instance", "namespace", "daemonset"},
    "k8s_daemonset_ready_nodes": {"job", "instance", "namespace", "daemonset"},
}


@pytest.fixture(scope="module")
def cluster(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    configs = ("infrastructure/kubernetes", *DEVELOPMENT)
    with run_pipeline(otelcol, configs, tmp_path_factory.mktemp("kubernetes"), {}) as running:
        yield running


def send(
    cluster: Pipeline, pod: str, restarts: float = 0, more: Mapping[str, str] = NOTHING
) -> None:
    for resource, metrics in kubernetes(pod, restarts=restarts):
        cluster.collector.send(*metrics, resource={**resource, **more})


def test_the_documented_series_have_exactly_their_labels_per_pod(
    cluster: Pipeline,
) -> None:
    for pod in ("api-1", "api-2"):
        send(cluster, pod)
    for name, labels in SERIES.items():
        kind = labels & {"deployment", "statefulset", "daemonset"}
        where = {"pod": "api-2"} if "pod" in labels else {next(iter(kind)): "api"}
        found = cluster.prometheus.wait_for_series(name, where)
        assert set(found.labels) == labels, name
        assert found.labels.items() >= {"job": "kubernetes", "namespace": "shop"}.items()
    pods = {item.labels["pod"] for item in cluster.prometheus.series("k8s_container_restarts")}
    assert pods == {"api-1", "api-2"}
    assert cluster.prometheus.series("target_info", {"job": "kubernetes"}) == []


def test_a_container_that_restarts_stays_one_series(cluster: Pipeline) -> None:
    for restarts in range(3):
        send(cluster, "worker-1", restarts)
    labels = {"pod": "worker-1"}
    cluster.prometheus.wait_for_series("k8s_container_restarts", labels, value=2)
    assert len(cluster.prometheus.series("k8s_container_restarts", labels)) == 1


def test_an_uptime_becomes_the_time_of_the_start(cluster: Pipeline) -> None:
    """Each start is another value, however long the container ran."""
    send(cluster, "guard-1")
    found = cluster.prometheus.wait_for_series("container_start_time_seconds", {"pod": "guard-1"})
    assert time.time() - 90 < found.value <= time.time() - 60
    assert not [name for name in cluster.prometheus.names if name.startswith("container_uptime")]


def test_a_named_cluster_is_an_instance_of_its_own(cluster: Pipeline) -> None:
    send(cluster, "api-3", more={"k8s.cluster.name": "berlin"})
    send(cluster, "api-3")
    for instance in ("berlin", "kubernetes"):
        labels = {"pod": "api-3", "instance": instance}
        cluster.prometheus.wait_for_series("k8s_pod_phase", labels, value=2)


def test_a_service_in_a_pod_keeps_its_own_name_and_labels(cluster: Pipeline) -> None:
    pod = {"k8s.namespace.name": "shop", "k8s.pod.name": "api-4"}
    resource = {"service.name": "shop", "service.instance.id": "1", **pod}
    cluster.collector.send(gauge("basket", 1, unit="{item}"), resource=resource)
    found = cluster.prometheus.wait_for_series("basket")
    assert found.labels == {"job": "shop", "instance": "1"}
