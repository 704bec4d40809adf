"""The service: requests by rate, errors and duration, the agents' tasks, their queue."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import exemplars, mean, of, per, percentile, query, rate, share

REQUESTS, DURATION = "agentical_requests_total", "agentical_request_duration_seconds"
TASKS, TASK_DURATION = "agentical_agent_tasks_total", "agentical_agent_task_duration_seconds"
REDIS = "agentical_redis_operations_total"
FAILED, ERROR = 'status=~"5.."', 'status="error"'
SERIES = (REQUESTS, TASKS, "agentical_queue_depth", "agentical_database_connections")


def application() -> Dashboard:
    """Return the dashboard of the service."""
    rows = {"Requests": requests(), "Agent tasks": tasks(), "Queue": queue()}
    return board(links.APPLICATION, rows, SERIES, labels=["queue"])


def requests() -> list[Panel]:
    """Return rate, errors and duration by route."""
    failed = per("job, endpoint", f"{rate(REQUESTS, FAILED)} or 0 * {rate(REQUESTS)}")
    return [
        graph(
            "Requests per second",
            "reqps",
            "Every request by route, counted before any sampling.",
            query(per("job, endpoint", rate(REQUESTS)), "{{endpoint}}"),
            to=links.DATABASES,
            services=True,
        ),
        graph(
            "Requests that fail",
            "percentunit",
            "The share of each route's requests that is answered with 5xx.",
            query(share(failed, per("job, endpoint", rate(REQUESTS))), "{{endpoint}}"),
            to=links.SLOS,
            alert="ApplicationErrorRateHigh",
            services=True,
        ),
        graph(
            "Request duration, 95th percentile",
            "s",
            "A dot is one request: click it to open its trace.",
            query(percentile(95, DURATION, "job, endpoint"), "{{endpoint}}"),
            exemplars("agentical_sampled_request_duration_seconds"),
            to=links.SLOS,
            alert="ApplicationLatencyHigh",
            services=True,
        ),
        graph(
            "Answers by status",
            "reqps",
            "Those with 4xx are mistakes of callers, those with 5xx are ours.",
            query(per("job, status", rate(REQUESTS)), "{{job}} {{status}}"),
            to=links.SLOS,
            services=True,
        ),
        graph(
            "Request duration, mean",
            "s",
            "Far below the 95th percentile: a few requests are slow. Near it: all are.",
            query(mean(DURATION, "job, endpoint"), "{{endpoint}}"),
            to=links.DATABASES,
            services=True,
        ),
        graph(
            "Open connections",
            "connections",
            "Clients that are connected to each process of the service.",
            query(of("agentical_active_connections"), "{{job}} {{instance}}"),
            to=links.OVERVIEW,
            services=True,
        ),
    ]


def tasks() -> list[Panel]:
    """Return what the agents do."""
    failed = f"{rate(TASKS, ERROR)} or 0 * {rate(TASKS)}"
    return [
        graph(
            "Tasks per second",
            "tasks/s",
            "Tasks that workers finished, by type and by how they ended.",
            query(per("job, task_type, status", rate(TASKS)), "{{task_type}} {{status}}"),
            to=links.SLOS,
            services=True,
        ),
        graph(
            "Tasks that fail",
            "percentunit",
            "The share of each type's tasks that ended with an error.",
            query(
                share(per("job, task_type", failed), per("job, task_type", rate(TASKS))),
                "{{task_type}}",
            ),
            to=links.SLOS,
            alert="AgentTaskFailureRateHigh",
            services=True,
        ),
        graph(
            "Task duration, 95th percentile",
            "s",
            "From when a worker takes a task until it is done; the time in the queue is not in it.",
            query(percentile(95, TASK_DURATION, "job, task_type"), "{{task_type}}"),
            to=links.DATABASES,
            services=True,
        ),
    ]


def queue() -> list[Panel]:
    """Return the queue between the service and its workers."""
    depth = of("agentical_queue_depth", 'queue=~"$queue"')
    growth = f"deriv({depth}[{window('AgentQueueGrowing')}])"
    accepted = rate(REQUESTS, 'endpoint="/agents/{agent_id}/tasks", status="202"')
    return [
        graph(
            "Tasks that are not done",
            "tasks",
            "The length of the queue, those being worked on included.",
            query(per("job, queue", depth, "max"), "{{queue}}"),
            to=links.DATABASES,
        ),
        graph(
            "Growth of the queue",
            "tasks/s",
            f"By its slope over {window('AgentQueueGrowing')}; below zero it shrinks.",
            query(per("job, queue", growth, "max"), "{{queue}}"),
            to=links.DATABASES,
            alert="AgentQueueGrowing",
        ),
        graph(
            "Accepted and finished",
            "tasks/s",
            "The queue grows while more is accepted than finished.",
            query(f"sum({accepted})", "accepted"),
            query(f"sum({rate(TASKS)})", "finished"),
            to=links.SLOS,
        ),
        graph(
            "Redis operations",
            "ops",
            "What the service asks of Redis, and how it ends.",
            query(per("job, operation, status", rate(REDIS)), "{{job}} {{operation}} {{status}}"),
            to=links.DATABASES,
            services=True,
        ),
    ]
