import os
import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
from otelcol_runner.polling import poll_until

from stack.clients.logfire import Logfire
from stack.errors import UserError
from stack.paths import GRAFANA
from stack.standins.logfire import READ_TOKEN
from tests.containers.compose import Compose
from tests.containers.conftest import SECRETS
from tests.containers.docker import docker
from tests.dashboards.reading import asked, panels, read

pytestmark = pytest.mark.timeout(600)
NET_BIND_SERVICE = 10  # its number among the capabilities
SERVICES = {"agentical-api", "agentical-worker"}
BEFORE_THE_COLLECTOR = {"overlays", "queue-check"}  # they exit when they are done
SERIES = (
    "agentical_requests_total",
    "agentical_request_duration_seconds_bucket",
    "agentical_sampled_request_duration_seconds_bucket",
    "agentical_active_connections",
    "agentical_agent_tasks_total",
    "agentical_database_connections",
    "agentical_database_query_duration_seconds_bucket",
    "agentical_queue_depth",
    "agentical_redis_operations_total",
    "postgresql_backends",
    "redis_memory_used_bytes",
    "system_cpu_time_seconds_total",
    "system_filesystem_utilization_ratio",
    "system_memory_usage_bytes",
)


def run_task(stack: Compose, text: str, document: str = "d1") -> dict[str, Any]:
    """Run a task that involves every service; returns it when it is finished."""
    with httpx.Client(base_url=stack.url("api", 8000), timeout=10) as api:
        api.put(f"/documents/{document}", json={"text": text}).raise_for_status()
        task = {"task_type": "summarize_document", "text": document}
        added = api.post("/agents/summarizer/tasks", json=task)
        assert added.status_code == 202, added.text

        def finished() -> dict[str, Any] | None:
            found: dict[str, Any] = api.get(f"/tasks/{added.json()['task_id']}").json()
            return found if found["status"] != "queued" else None

        return poll_until(finished, "the task's end", timeout=30)


def rows(stack: Compose, sql: str) -> list[dict[str, Any]]:
    with Logfire(stack.url("logfire", 4320), READ_TOKEN) as logfire:
        return logfire.rows(sql, since=timedelta(hours=1), limit=1000)


def values(stack: Compose, promql: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{stack.url('prometheus', 9090)}/api/v1/query", params={"query": promql})
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return found


def test_one_task_is_one_trace_across_both_services_with_its_logs(stack: Compose) -> None:
    task = run_task(stack, "Four short words here. " * 20)
    assert task["status"] == "success"
    completed = "SELECT trace_id FROM records WHERE message = 'Agent task completed'"

    (log, *_) = poll_until(lambda: rows(stack, completed), "the task's log", timeout=20)
    of_trace = f"SELECT DISTINCT service_name FROM records WHERE trace_id = '{log['trace_id']}'"
    poll_until(
        lambda: {row["service_name"] for row in rows(stack, of_trace)} == SERVICES,
        "spans of both services in one trace",
        timeout=20,
    )


@pytest.mark.parametrize("name", SERIES)
def test_the_series_arrive_in_prometheus(stack: Compose, name: str) -> None:
    if name == SERIES[0]:
        run_task(stack, "Words.")
    found = poll_until(lambda: values(stack, name), name, timeout=40)

    assert all({"job", "instance"} <= series["metric"].keys() for series in found)


def test_every_dashboard_panel_shows_data(stack: Compose) -> None:
    run_task(stack, "Words.")
    for panel in panels(read(GRAFANA / "generated" / "overview.json")):
        query = asked(" or ".join(f"({target['expr']})" for target in panel["targets"]))
        if panel["type"] != "table":  # a list of alerts, of which none fires
            poll_until(partial(values, stack, query), f"{panel['title']}: {query}", timeout=60)


def test_a_refused_token_keeps_the_backlog(stack: Compose) -> None:
    arrived = "SELECT count(*) AS n FROM records WHERE url_path = '/documents/held-back'"
    with stack.faults(refuse=401):
        run_task(stack, "Held back.", document="held-back")
        poll_until(
            lambda: "check LOGFIRE_TOKEN" in stack.run("logs", "guard"), "the guard's log line"
        )
        assert rows(stack, arrived) == [{"n": 0}]

    poll_until(lambda: rows(stack, arrived)[0]["n"] > 0, "the backlog", timeout=60)


def is_on_disk(stack: Compose, text: str) -> bool:
    """Tell whether the queue of traces contains the text; read beside the running collector."""
    look = (
        "import sys; print(sys.argv[1].encode() in "
        "open('/var/lib/otelcol/queue/exporter_otlp_http_logfire_traces', 'rb').read())"
    )
    program = ["queue-check", "python", "-c", look, text]
    return stack.run("run", "--rm", "--no-deps", "-T", *program).strip() == "True"


def test_the_queue_survives_a_restart(stack: Compose) -> None:
    path = f"/documents/kept-{token_hex(4)}"  # new each time: a freed page keeps its text
    arrived = f"SELECT count(*) AS n FROM records WHERE url_path = '{path}'"
    stack.run("stop", "guard")
    run_task(stack, "Kept.", document=path.rpartition("/")[2])
    # The service exports a span within half a second, and drops what it cannot within 10 s. A
    # collector that stops may refuse it for longer: it waits for a remote write without an answer.
    poll_until(lambda: is_on_disk(stack, path), "the span in the queue on disk", timeout=60)
    stack.restart("collector")
    assert rows(stack, arrived) == [{"n": 0}]
    stack.run("start", "guard")

    poll_until(lambda: rows(stack, arrived)[0]["n"] > 0, "what the queue kept", timeout=60)


def test_a_damaged_queue_file_is_set_aside_by_the_next_up(stack: Compose) -> None:
    stack.run("stop", "collector")
    overwrite = (
        "open('/var/lib/otelcol/queue/exporter_otlp_http_logfire_logs', 'r+b').write(b'x' * 9000)"
    )
    stack.run("run", "--rm", "--no-deps", "-T", "queue-check", "python", "-c", overwrite)
    stack.run("up", "--detach", "--wait", "--no-build", "--pull=never", "collector")

    assert "exporter_otlp_http_logfire_logs is damaged (" in stack.run("logs", "queue-check")
    test_one_task_is_one_trace_across_both_services_with_its_logs(stack)


def test_a_window_on_a_disk_stops_the_start_with_a_sentence(stack: Compose) -> None:
    folder = "/var/lib/otelcol/queue"
    production = ["--env=SAMPLING_WINDOW=production", f"--env=SAMPLING_WINDOW_DIR={folder}"]
    with pytest.raises(UserError, match=f"window: {folder} is on [a-z0-9]+, and the window has"):
        stack.run("run", "--rm", "--no-deps", "-T", *production, "queue-check")


def test_an_unknown_overlay_stops_the_start_with_a_sentence(stack: Compose) -> None:
    with pytest.raises(UserError, match="OVERLAYS names 'also-viewre', and there is no such file"):
        stack.run("run", "--rm", "--no-deps", "-T", "--env=OVERLAYS=also-viewre", "overlays")
    assert "overlays: token" in stack.run("logs", "overlays")


def test_the_doctor_finds_a_trace_a_log_and_a_metric(stack: Compose) -> None:
    addresses = {
        "LOGFIRE_QUERY_ENDPOINT": stack.url("logfire", 4320),
        "OTEL_EXPORTER_OTLP_ENDPOINT": stack.url("collector", 4318),
        "PROMETHEUS_URL": stack.url("prometheus", 9090),
        "SELF_METRICS_PORT": stack.url("collector", 8888).rpartition(":")[2],
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{SECRETS['OTLP_TOKEN']}",
    }
    agentical = Path(sys.executable).with_name("agentical")

    done = subprocess.run(
        [agentical, "doctor"], env={**os.environ, **addresses}, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_firing_alert_reaches_the_notification_recorder(stack: Compose) -> None:
    known = httpx.get(f"{stack.url('prometheus', 9090)}/api/v1/alertmanagers").json()["data"]
    assert known["activeAlertmanagers"] == [{"url": "http://alertmanager:9093/api/v2/alerts"}]

    alert = {"labels": {"alertname": "PostgresDown", "severity": "critical"}}
    httpx.post(f"{stack.url('alertmanager', 9093)}/api/v2/alerts", json=[alert]).raise_for_status()

    def seen() -> list[str]:
        return [one["path"] for one in httpx.get(stack.url("recorder", 9095)).json()]

    poll_until(lambda: seen() == ["/pager"], "the pager's notification", timeout=60, seen=seen)


def test_no_container_has_more_privileges_than_it_needs(stack: Compose) -> None:
    for service in stack.services:
        container = stack.inspect(service)
        host, config = container["HostConfig"], container["Config"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert host["Memory"] > 0, service
        assert not host["Privileged"], service
        added = [name.removeprefix("CAP_") for name in host["CapAdd"] or ()]
        assert added == (["NET_BIND_SERVICE"] if service == "guard" else []), service
        assert config["User"] not in {"", "0", "root"}, service
        if service in BEFORE_THE_COLLECTOR:
            assert (host["NetworkMode"], container["State"]["ExitCode"]) == ("none", 0)
        else:
            assert container["State"]["Running"], service


def test_every_process_has_dropped_its_capabilities(stack: Compose) -> None:
    for service in sorted({*stack.services} - BEFORE_THE_COLLECTOR):
        # From a container beside it: some images have no shell.
        beside = f"--pid=container:{stack.inspect(service)['Id']}"
        look = ["run", "--rm", "--network=none", beside, "--entrypoint=cat"]
        lines = docker(*look, str(stack.images["GUARD_IMAGE"]), "/proc/1/status").splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        held = {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
        allowed = {"0" * 16, f"{1 << NET_BIND_SERVICE:016x}"} if service == "guard" else {"0" * 16}
        assert held <= allowed, service
        assert status["NoNewPrivs"] == "1", service
        assert "0" not in status["Uid"].split(), service


def test_no_secret_is_in_a_log_or_a_process_list(stack: Compose) -> None:
    seen = stack.run("logs", "--no-color") + stack.run("top")
    assert "Agent task completed" in seen or "API started" in seen

    assert [name for name, secret in SECRETS.items() if secret in seen] == []


def test_a_sender_without_the_token_is_refused(stack: Compose) -> None:
    answer = httpx.post(f"{stack.url('collector', 4318)}/v1/traces", json={})

    assert answer.status_code == 401


def test_published_ports_are_reachable_only_from_this_machine(stack: Compose) -> None:
    bound = {
        (service, binding["HostIp"])
        for service in stack.services
        for bindings in stack.inspect(service)["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }

    assert {address for _, address in bound} == {"127.0.0.1"}
    assert {service for service, _ in bound} == {
        "alertmanager",
        "api",
        "collector",
        "logfire",
        "page",
        "prometheus",
        "recorder",
    }
