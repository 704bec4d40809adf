"""What arrives: a task's whole trace with the names of its pods, and each receiver's series."""

from typing import Any

from otelcol_runner.polling import poll_until

from stack.clients.logfire import Logfire
from tests.cluster.backends import api, caller, logfire, prometheus, rows, send_task
from tests.cluster.kubectl import NAMESPACE, Kubectl
from tests.cluster.overlays import Overlay, applied
from tests.cluster.pods import of_component

NAMES = ("namespace", "pod", "node", "deployment")
WHERE = ", ".join(f"otel_resource_attributes->>'k8s.{name}.name' AS {name}" for name in NAMES)
Origin = tuple[Any, ...]


@applied("local")
def test_a_tasks_trace_is_whole_and_names_its_pods(overlay: Overlay) -> None:
    kubectl = overlay.kubectl
    expected = {origin(kubectl, "api"), origin(kubectl, "worker")}
    with api(kubectl) as client, logfire(kubectl) as backend:
        trace = send_task(client)
        poll_until(
            lambda: absent(backend, trace) == {caller(trace)},
            "the whole trace",
            seen=lambda: absent(backend, trace),
        )
        assert origins(backend, trace) == expected


def origin(kubectl: Kubectl, component: str) -> Origin:
    """Return the service and the names of where its only pod runs."""
    (pod,) = of_component(kubectl, component)
    return f"agentical-{component}", NAMESPACE, pod.name, pod.node, component


def origins(backend: Logfire, trace: str) -> set[Origin]:
    """Return the services and places that the trace's spans and logs name."""
    found = rows(
        backend,
        f"SELECT DISTINCT service_name, {WHERE} FROM records WHERE trace_id = '{trace}'",
    )
    return {(row["service_name"], *(row[name] for name in NAMES)) for row in found}


def absent(backend: Logfire, trace: str) -> set[str]:
    """Return the parents that did not arrive, once the worker has run the task; none before."""
    where = f"FROM records WHERE trace_id = '{trace}'"
    found = rows(backend, f"SELECT span_id, parent_span_id, span_name {where}")
    if not any(row["span_name"] == "agent_execution" for row in found):
        return set()
    return {row["parent_span_id"] for row in found} - {row["span_id"] for row in found}


# A label of one series of each receiver, and the values that it has.
SERIES = {
    "otlp": ("endpoint", 'agentical_requests_total{endpoint="/documents/{document_id}"}'),
    "host_metrics": ("host", "system_cpu_load_average_1m"),
    "kubelet_stats": ("node", "k8s_node_memory_usage_bytes"),
    "k8s_cluster": ("deployment", f'k8s_deployment_available{{namespace="{NAMESPACE}"}}'),
    "postgresql": ("database", "postgresql_backends"),
    "redis": ("host", "redis_uptime_seconds_total"),
}


@applied("local")
def test_each_receiver_writes_its_series(overlay: Overlay) -> None:
    nodes = {pod.node for pod in of_component(overlay.kubectl, "agent")}
    expected = {
        "otlp": {"/documents/{document_id}"},
        "host_metrics": nodes,
        "kubelet_stats": nodes,
        "k8s_cluster": {"api", "cluster", "logfire", "worker"},
        "postgresql": {"agentical", "postgres"},
        "redis": {"cluster"},
    }
    with prometheus(overlay.kubectl) as client:

        def seen() -> dict[str, set[str]]:
            return {name: set(client.by(*series)) - {""} for name, series in SERIES.items()}

        poll_until(lambda: seen() == expected, "each receiver's series", timeout=60, seen=seen)
