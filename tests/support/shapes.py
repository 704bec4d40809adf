"""Telemetry shaped as the services send it."""

from collections.abc import Mapping

from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.telemetry import counter, gauge, span
from otelcol_runner.views import Event

Resourced = tuple[dict[str, str], list[Metric]]
RESOURCE = {
    "service.name": "agentical-api",
    "service.instance.id": "api-1",
    "service.version": "1.0",
    "deployment.environment.name": "test",
}


def request(
    method: str = "POST",
    route: str | None = "/agents/{agent_id}/tasks",
    code: int | None = 202,
    *,
    status: str = "UNSET",
    duration: float = 0.02,
    trace: str | None = None,
    attributes: Mapping[str, object] | None = None,
) -> Span:
    """Return a SERVER span as FastAPI's instrumentation makes it; `duration` in seconds."""
    found: dict[str, object] = {"http.request.method": method, "url.path": "/agents/a/tasks"}
    if route is not None:
        found["http.route"] = route
    if code is not None:
        found["http.response.status_code"] = code
    name = f"{method} {route}" if route else method
    found |= attributes or {}
    return span(name, found, kind="SERVER", status=status, duration=duration, trace=trace)


def query(
    operation: str = "INSERT",
    trace: str | None = None,
    *,
    duration: float = 0.003,
    raised: str = "",
) -> Span:
    """Return a CLIENT span as asyncpg's instrumentation makes it; `raised` is an exception's type.

    `duration` is in seconds.
    """
    attributes = {"db.system.name": "postgresql", "db.namespace": "agentical"}
    events = [Event("exception", {"exception.type": raised})] if raised else []
    status = "ERROR" if raised else "UNSET"
    return span(
        operation,
        attributes,
        kind="CLIENT",
        duration=duration,
        trace=trace,
        status=status,
        events=events,
    )


def redis(
    operation: str = "XADD XLEN",
    *,
    status: str = "UNSET",
    trace: str | None = None,
    duration: float = 0.01,
) -> Span:
    """Return a CLIENT span as the Redis instrumentation makes it; `duration` in seconds."""
    attributes = {"db.system.name": "redis", "server.port": 6379}
    return span(operation, attributes, kind="CLIENT", status=status, trace=trace, duration=duration)


def agent(task_type: str, status: str, trace: str | None = None) -> Span:
    """Return the span of an agent's execution."""
    attributes = {"agent_id": "a", "task_type": task_type, "duration_ms": 40.0, "status": status}
    code = "ERROR" if status == "error" else "UNSET"
    return span("agent_execution", attributes, duration=0.04, status=code, trace=trace)


def gauges() -> list[Metric]:
    """Return the gauges of the API and the worker."""
    pool, state = "db.client.connection.pool.name", "db.client.connection.state"
    tasks = {"messaging.destination.name": "tasks"}
    used, idle = ({pool: "agentical", state: name} for name in ("used", "idle"))
    return [
        gauge("db.client.connection.count", 2, used, unit="{connection}"),
        gauge("db.client.connection.count", 3, idle, unit="{connection}"),
        gauge("db.client.connection.max", 10, {pool: "agentical"}, unit="{connection}"),
        counter("db.client.connection.timeouts", 4, {pool: "agentical"}, unit="{timeout}"),
        gauge("messaging.queue.depth", 7, tasks, unit="{message}"),
        gauge("http.server.open_connections", 5, unit="{connection}"),
    ]


def kubernetes(pod: str, *, restarts: float = 0, container: str = "api") -> list[Resourced]:
    """Return what kubelet_stats and k8s_cluster send of a pod, its deployment and node."""
    named = {"k8s.namespace.name": "shop", "k8s.pod.name": pod, "k8s.pod.uid": f"uid-of-{pod}"}
    contained = named | {"k8s.container.name": container, "container.id": f"{pod}-{restarts}"}
    deployment = {"k8s.namespace.name": "shop", "k8s.deployment.name": container}
    used = [
        counter("container.cpu.time", 12.5, unit="s"),
        gauge("container.cpu.usage", 0.25, unit="{cpu}"),
        gauge("container.memory.usage", 64_000_000, unit="By"),
        counter("container.uptime", 60, unit="s"),
    ]
    state = [
        gauge("k8s.deployment.available", 1, unit="{pod}"),
        gauge("k8s.deployment.desired", 2, unit="{pod}"),
    ]
    workloads = [
        (
            {"k8s.namespace.name": "shop", "k8s.statefulset.name": container},
            [
                gauge("k8s.statefulset.desired_pods", 2, unit="{pod}"),
                gauge("k8s.statefulset.ready_pods", 2, unit="{pod}"),
            ],
        ),
        (
            {"k8s.namespace.name": "shop", "k8s.daemonset.name": container},
            [
                gauge("k8s.daemonset.desired_scheduled_nodes", 2, unit="{node}"),
                gauge("k8s.daemonset.ready_nodes", 2, unit="{node}"),
            ],
        ),
    ]
    sent = {"interface": "eth0", "direction": "transmit"}
    traffic = [
        counter("k8s.node.network.io", 4096, sent, unit="By"),
        counter("k8s.node.network.errors", 1, sent, unit="{errors}"),
    ]
    restarted = {"container.image.name": "shop/api", "k8s.node.name": "node-1"}
    return [
        (contained, used),
        (contained | restarted, [gauge("k8s.container.restarts", restarts, unit="{restart}")]),
        (named | {"k8s.node.name": "node-1"}, [gauge("k8s.pod.phase", 2)]),
        (deployment, state),
        ({"k8s.node.name": "node-1"}, traffic),
        *workloads,
    ]


def kafka_lag(messages: float) -> Resourced:
    """Return what infrastructure/kafka.yaml makes of a consumer group that is behind."""
    behind = {"group": "agentical", "topic": "agentical.traces"}
    resource = {"service.name": "kafka", "service.instance.id": "kafka"}
    return resource, [gauge("kafka.consumer_group.lag_sum", messages, behind, unit="")]
