"""Pods, restarts, replicas and containers, from kubelet and cluster metrics."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import of, per, query, rate

SERIES = ("k8s_.+", "container_.+")
CHOSEN = 'namespace=~"$namespace", pod=~"$pod"'
EMPTY = "No cluster reports here (docs/kubernetes.md), or nothing of it is selected."
CONTAINER = "{{pod}}/{{container}}"  # with its namespace it would be cut
DEPLOYMENT = "{{namespace}}/{{deployment}}"
PHASES = {1: "pending", 2: "running", 3: "succeeded", 4: "failed", 5: "unknown"}


def kubernetes() -> Dashboard:
    """Return the dashboard of the cluster."""
    rows = {"Pods": pods(), "Deployments": deployments(), "Containers": containers()}
    return board(links.KUBERNETES, rows, SERIES, EMPTY, labels=["namespace", "pod"])


def pods() -> list[Panel]:
    """Return pods by phase, and container restarts."""
    restarts, time = of("k8s_container_restarts", CHOSEN), window("PodRestarting")
    starts, each = of("container_start_time_seconds", CHOSEN), "namespace, pod, container"
    counted = per(each, f"{restarts} - min_over_time({restarts}[{time}])", "max")
    recent = f"{counted} or {per(each, f'changes({starts}[{time}])', 'max')}"
    return [
        graph(
            "Pods by phase",
            "pods",
            "Long pending: no capacity or no image. Failed: see the pod's events.",
            *(
                query(
                    per("namespace", f"{of('k8s_pod_phase', CHOSEN)} == {number}", "count"),
                    f"{{{{namespace}}}} {phase}",
                )
                for number, phase in PHASES.items()
            ),
            to=links.OVERVIEW,
        ),
        graph(
            "Recent container restarts",
            "restarts",
            f"Restarts within {time}, after a crash or a failed liveness probe.",
            query(recent, CONTAINER),
            to=links.APPLICATION,
            alert="PodRestarting",
        ),
        graph(
            "Total container restarts",
            "restarts",
            "Restarts since the pod was created, without init containers and sidecars.",
            query(restarts, CONTAINER),
            to=links.APPLICATION,
        ),
    ]


def deployments() -> list[Panel]:
    """Return desired and available replicas, and how often they changed."""
    chosen = 'namespace=~"$namespace"'
    wanted, there = of("k8s_deployment_desired", chosen), of("k8s_deployment_available", chosen)
    return [
        graph(
            "Desired and available replicas",
            "pods",
            "If they differ for long, new pods do not become ready.",
            query(wanted, f"{DEPLOYMENT} desired"),
            query(there, f"{DEPLOYMENT} available"),
            to=links.OVERVIEW,
        ),
        graph(
            "Missing replicas",
            "pods",
            "Desired replicas that are not available.",
            query(f"{wanted} - {there}", DEPLOYMENT),
            to=links.OVERVIEW,
        ),
        graph(
            "Replica changes per hour",
            "changes",
            "How often the number of available replicas changed: scaling, rollouts, crashes.",
            query(f"changes({there}[1h])", DEPLOYMENT),
            to=links.APPLICATION,
        ),
    ]


def containers() -> list[Panel]:
    """Return CPU and memory usage of each container."""
    return [
        graph(
            "Container CPU usage (cores)",
            "cores",
            "CPU usage of each container.",
            query(
                per("namespace, pod, container", rate("container_cpu_usage_seconds_total", CHOSEN)),
                CONTAINER,
            ),
            to=links.OVERVIEW,
            width=12,
        ),
        graph(
            "Container memory usage (MB)",
            "mbytes",
            "Memory usage of each container, including page cache.",
            query(f"{of('container_memory_usage_bytes', CHOSEN)} / 1024 / 1024", CONTAINER),
            to=links.OVERVIEW,
            width=12,
        ),
    ]
