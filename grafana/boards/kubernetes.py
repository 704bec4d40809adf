"""Pods, restarts, replicas and containers, as the kubelets and the cluster tell."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import of, per, query, rate

SERIES = ("k8s_.+", "container_.+")
CHOSEN = 'namespace=~"$namespace", pod=~"$pod"'
CONTAINER = "{{namespace}}/{{pod}}/{{container}}"
DEPLOYMENT = "{{namespace}}/{{deployment}}"
PHASES = {1: "pending", 2: "running", 3: "succeeded", 4: "failed", 5: "unknown"}


def kubernetes() -> Dashboard:
    """Return the dashboard of the cluster."""
    rows = {"Pods": pods(), "Deployments": deployments(), "Containers": containers()}
    return board(links.KUBERNETES, rows, SERIES, labels=["namespace", "pod"])


def pods() -> list[Panel]:
    """Return how many pods there are, and which start again and again."""
    restarts, time = of("k8s_container_restarts", CHOSEN), window("PodRestarting")
    recent = per(
        "namespace, pod, container", f"{restarts} - min_over_time({restarts}[{time}])", "max"
    )
    return [
        graph(
            "Pods by phase",
            "pods",
            "Pending for long: no room, or no image. Failed: look at the pod's events.",
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
            "Restarts lately",
            "restarts",
            f"In {time}: each container was started anew, as it crashed or its probe failed.",
            query(recent, CONTAINER),
            to=links.APPLICATION,
            alert="PodRestarting",
        ),
        graph(
            "Restarts so far",
            "restarts",
            "Since the pod was made.",
            query(restarts, CONTAINER),
            to=links.APPLICATION,
        ),
    ]


def deployments() -> list[Panel]:
    """Return replicas: wanted, there, and how often that changed."""
    chosen = 'namespace=~"$namespace"'
    wanted, there = of("k8s_deployment_desired", chosen), of("k8s_deployment_available", chosen)
    return [
        graph(
            "Replicas wanted and available",
            "pods",
            "Apart for long: new pods do not become ready.",
            query(wanted, f"{DEPLOYMENT} wanted"),
            query(there, f"{DEPLOYMENT} available"),
            to=links.OVERVIEW,
        ),
        graph(
            "Replicas missing",
            "pods",
            "Wanted and not available.",
            query(f"{wanted} - {there}", DEPLOYMENT),
            to=links.OVERVIEW,
        ),
        graph(
            "Replica changes in an hour",
            "changes",
            "How often the number of available replicas changed: scaling, rollouts, crashes.",
            query(f"changes({there}[1h])", DEPLOYMENT),
            to=links.APPLICATION,
        ),
    ]


def containers() -> list[Panel]:
    """Return what each container uses."""
    return [
        graph(
            "Container CPU usage",
            "cores",
            "Cores that each container uses.",
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
            "Memory that each container holds, its caches included.",
            query(f"{of('container_memory_usage_bytes', CHOSEN)} / 1024 / 1024", CONTAINER),
            to=links.OVERVIEW,
            width=12,
        ),
    ]
