"""Runs one task through a pipeline in a cluster and looks for it at both backends.

`.ci/kind-cluster` forwards the ports of the API, the Logfire stand-in and Prometheus.
"""

import secrets
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from otelcol_runner.polling import poll_until

from stack.clients.logfire import LOCAL_ENDPOINT, Logfire
from stack.clients.prometheus import PromQL
from stack.errors import UserError
from stack.standins.logfire import READ_TOKEN

API = "http://127.0.0.1:8000"
PROMETHEUS = "http://127.0.0.1:9090"
SERVICES = {"agentical-api", "agentical-worker"}
SERIES = ("agentical_requests_total", "agentical_agent_tasks_total", "postgresql_backends")


def main() -> None:
    """Run the task, find its trace at Logfire and its series in Prometheus."""
    trace_id = secrets.token_hex(16)
    parent = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    with httpx.Client(base_url=API, timeout=10) as api:
        poll_until(lambda: healthy(api), "the API's health", timeout=60)
        api.put("/documents/d1", json={"text": "A story."}).raise_for_status()
        task = {"task_type": "summarize_document", "text": "d1"}
        accepted = api.post("/agents/researcher/tasks", json=task, headers=parent)
        task_id = accepted.raise_for_status().json()["task_id"]
        poll_until(lambda: succeeded(api, task_id), "the task's success", timeout=60)
    with Logfire(LOCAL_ENDPOINT, READ_TOKEN) as logfire:
        sent = partial(services, logfire, trace_id)
        poll_until(lambda: sent() >= SERVICES, "both services' spans", timeout=120)
    with PromQL(PROMETHEUS) as prometheus:
        for name in SERIES:
            poll_until(partial(seen, prometheus, name), f"the series {name}", timeout=120)
    print("one task went through the cluster")


def healthy(api: httpx.Client) -> bool:
    """Tell whether the API and its two servers are healthy."""
    try:
        return api.get("/health").is_success
    except httpx.HTTPError:
        return False


def succeeded(api: httpx.Client, task_id: str) -> bool:
    """Tell whether the task is done."""
    answer: dict[str, Any] = api.get(f"/tasks/{task_id}").raise_for_status().json()
    return bool(answer["status"] == "success")


def services(logfire: Logfire, trace_id: str) -> set[str]:
    """Return the services whose spans of the trace arrived."""
    try:
        rows = logfire.rows(
            f"SELECT DISTINCT service_name FROM records WHERE trace_id = '{trace_id}'",
            since=timedelta(hours=1),
        )
    except UserError:
        return set()
    return {row["service_name"] for row in rows}


def seen(prometheus: PromQL, name: str) -> bool:
    """Tell whether a series was written."""
    try:
        return bool(prometheus.series(name))
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    main()
