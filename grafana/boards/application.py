"""The service: rate, errors and duration of requests, agent tasks, and their queue."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import exemplars, mean, of, per, percentile, process, query, rate, share

REQUESTS, DURATION = "agentical_requests_total", "agentical_request_duration_seconds"
TASKS, TASK_DURATION = "agentical_agent_tasks_total", "agentical_agent_task_duration_seconds"
REDIS = "agentical_redis_operations_total"
FAILED, ERROR = 'status=~"5.."', 'status="error"'
EMPTY = "No such request or task of the selected services in this time."
NO_QUEUE = "None of the selected services reports a queue."
SERIES = (REQUESTS, TASKS, "agentical_queue_depth", "agentical_database_connections")


def application() -> Dashboard:
    """Return the dashboard of the service."""
    rows = {"Requests": requests(), "Agent tasks": tasks(), "Queue": queue()}
    return board(links.APPLICATION, rows, SERIES, EMPTY, labels=["queue"])


def requests() -> list[Panel]:
    """Return rate, errors and duration, by service as the alerts compare them, and by route."""
    failed = f"{rate(REQUESTS, FAILED)} or 0 * {rate(REQUESTS)}"
    return [
        graph(
            "Request rate (req/s)",
            "reqps",
            "Requests by route, counted before sampling.",
            query(per("job, endpoint", rate(REQUESTS)), "{{endpoint}}"),
            to=links.DATABASES,
            width=6,
            services=True,
        ),
        graph(
            "Error rate (%)",
            "percentunit",
            "The share of each service's requests answered with 5xx.",
            query(share(per("job", failed), per("job", rate(REQUESTS))), "{{job}}"),
            to=links.SLOS,
            alert="ApplicationErrorRateHigh",
            width=6,
            services=True,
        ),
        graph(
            "Error rate by route (%)",
            "percentunit",
            "The share of each route's requests answered with 5xx.",
            query(
                share(per("job, endpoint", failed), per("job, endpoint", rate(REQUESTS))),
                "{{endpoint}}",
            ),
            to=links.SLOS,
            width=6,
            services=True,
        ),
        graph(
            "P95 request latency (s)",
            "s",
            "Each dot is a request (an exemplar): click it to open its trace.",
            query(percentile(95, DURATION, "job"), "{{job}}"),
            exemplars("agentical_sampled_request_duration_seconds"),
            to=links.SLOS,
            alert="ApplicationLatencyHigh",
            width=6,
            services=True,
        ),
        graph(
            "P95 request latency by route (s)",
            "s",
            "Each route's own percentile; the alert compares that of the whole service.",
            query(percentile(95, DURATION, "job, endpoint"), "{{endpoint}}"),
            to=links.SLOS,
            width=6,
            services=True,
        ),
        graph(
            "Responses by status code (req/s)",
            "reqps",
            "Status 4xx is a client error, 5xx a server error.",
            query(per("job, status", rate(REQUESTS)), "{{job}} {{status}}"),
            to=links.SLOS,
            width=6,
            services=True,
        ),
        graph(
            "Mean request latency (s)",
            "s",
            "Far below P95: few requests are slow. Close to P95: all of them are.",
            query(mean(DURATION, "job, endpoint"), "{{endpoint}}"),
            to=links.DATABASES,
            width=6,
            services=True,
        ),
        graph(
            "Open connections",
            "connections",
            "Client connections to each process of the service.",
            query(process(of("agentical_active_connections")), "{{job}} {{process}}"),
            to=links.OVERVIEW,
            empty="None of the selected services reports its connections.",
            width=6,
            services=True,
        ),
    ]


def tasks() -> list[Panel]:
    """Return rate, errors and duration of the agents' tasks."""
    failed = f"{rate(TASKS, ERROR)} or 0 * {rate(TASKS)}"
    by_type = share(per("job, task_type", failed), per("job, task_type", rate(TASKS)))
    return [
        graph(
            "Task rate (tasks/s)",
            "tasks/s",
            "Tasks that workers finished, by type and status.",
            query(per("job, task_type, status", rate(TASKS)), "{{task_type}} {{status}}"),
            to=links.SLOS,
            width=6,
            services=True,
        ),
        graph(
            "Task failure rate (%)",
            "percentunit",
            "The share of all tasks that failed.",
            query(share(f"sum({failed})", f"sum({rate(TASKS)})"), "all tasks"),
            to=links.SLOS,
            alert="AgentTaskFailureRateHigh",
            width=6,
        ),
        graph(
            "Task failure rate by type (%)",
            "percentunit",
            "The share of each type's tasks that failed; the alert compares that of all tasks.",
            query(by_type, "{{task_type}}"),
            to=links.SLOS,
            width=6,
            services=True,
        ),
        graph(
            "P95 task duration (s)",
            "s",
            "Execution time in the worker, without the time in the queue.",
            query(percentile(95, TASK_DURATION, "job, task_type"), "{{task_type}}"),
            to=links.DATABASES,
            width=6,
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
            "Queue depth (tasks)",
            "tasks",
            "Tasks in the queue, including those in progress.",
            query(per("job, queue", depth, "max"), "{{queue}}"),
            to=links.DATABASES,
            empty=NO_QUEUE,
        ),
        graph(
            "Queue growth (tasks/s)",
            "tasks/s",
            f"Slope over {window('AgentQueueGrowing')}; negative while the queue drains.",
            query(per("job, queue", growth, "max"), "{{queue}}"),
            to=links.DATABASES,
            empty=NO_QUEUE,
            alert="AgentQueueGrowing",
        ),
        graph(
            "Accepted and finished tasks (tasks/s)",
            "tasks/s",
            "The queue grows while more tasks are accepted than finished.",
            query(f"sum({accepted})", "accepted"),
            query(f"sum({rate(TASKS)})", "finished"),
            to=links.SLOS,
        ),
        graph(
            "Redis operations (ops/s)",
            "ops",
            "Operations of the service on Redis, by status.",
            query(per("job, operation, status", rate(REDIS)), "{{job}} {{operation}} {{status}}"),
            to=links.DATABASES,
            services=True,
        ),
    ]
