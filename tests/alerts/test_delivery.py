import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port

from stack.paths import PROMETHEUS
from stack.services.prometheus import Prometheus
from tests.alerts.delivery import Delivery, Fired, delivering

RULE = {
    "alert": "PostgresDown",
    "expr": "vector(1) > 0",
    "labels": {"severity": "critical", "pillar": "postgresql"},
    "annotations": {"summary": "Postgres does not answer."},
}
ALWAYS = {"name": "always", "interval": "250ms", "rules": [RULE]}


@pytest.fixture
def delivery(tmp_path: Path) -> Iterator[Delivery]:
    with delivering(tmp_path) as running:
        yield running


def alert(name: str, severity: str, pillar: str, **labels: str) -> Fired:
    return {"alertname": name, "severity": severity, "pillar": pillar, **labels}


POSTGRES_DOWN = alert("PostgresDown", "critical", "postgresql", instance="postgres")
# The symptoms, in the order in which they may come: before the cause, and after it.
BEFORE = (
    alert("DatabaseConnectionIssues", "critical", "application", job="agentical-api"),
    alert("AvailabilityBudgetBurn", "critical", "application", slo="availability"),
    alert("AvailabilityBudgetBurn", "warning", "application", slo="availability"),
)
AFTER = (
    alert("AgentSuccessBudgetBurn", "critical", "application", slo="agent_success"),
    alert("AgentSuccessBudgetBurn", "warning", "application", slo="agent_success"),
    alert("LatencyBudgetBurn", "warning", "application", slo="latency"),
    alert("AgentQueueGrowing", "warning", "queue", queue="agent-tasks"),
)


def test_one_outage_of_a_database_notifies_once(delivery: Delivery) -> None:
    delivery.fire(*BEFORE, POSTGRES_DOWN, *AFTER)
    delivery.wait_until_notified("pager", "PostgresDown")
    delivery.wait_until_inhibited(groups=7)
    assert delivery.notified() == [("pager", ["PostgresDown"])]

    delivery.resolve(*BEFORE, *AFTER)
    delivery.resolve(POSTGRES_DOWN)
    delivery.wait_until_notified("pager", "PostgresDown", status="resolved")
    assert delivery.notified() == [("pager", ["PostgresDown"])]


def test_symptoms_wait_for_a_cause_that_fires_later(tmp_path: Path) -> None:
    with delivering(tmp_path, factor=20) as delivery:
        delivery.fire(*BEFORE, alert("HostDiskSpaceLow", "critical", "host"))
        delivery.wait_until_notified("pager", "HostDiskSpaceLow")
        delivery.fire(POSTGRES_DOWN)

        delivery.wait_until_notified("pager", "PostgresDown")
        delivery.wait_until_inhibited(groups=3)
        assert len(delivery.notified()) == 2


def lately(cause: str) -> list[Fired]:
    """What prometheus/rules/outages.yml makes of a firing alert."""
    name = "DatabaseOutageRecent"
    return [alert(name, "none", "", cause=cause, within=it) for it in ("10m", "40m", "370m")]


def test_symptoms_of_an_outage_that_is_over_do_not_notify(delivery: Delivery) -> None:
    scraped = alert("ScrapeTargetDown", "warning", "pipeline", job="postgresql")
    delivery.fire(*lately("PostgresDown"), *BEFORE, *AFTER, scraped)

    delivery.wait_until_inhibited(groups=8)
    assert delivery.notified() == []


def test_burn_rates_are_inhibited_while_an_outage_is_in_their_window(
    delivery: Delivery,
) -> None:
    _, in_40m, in_370m = lately("PostgresDown")
    delivery.fire(
        in_40m,
        in_370m,
        alert("LatencyBudgetBurn", "critical", "application"),
        alert("AgentSuccessBudgetBurn", "warning", "application"),
    )
    delivery.wait_until_inhibited(groups=2)
    assert delivery.notified() == []

    delivery.resolve(in_40m)
    delivery.wait_until_notified("pager", "LatencyBudgetBurn")
    assert delivery.notified() == [("pager", ["LatencyBudgetBurn"])]


def test_an_unreachable_database_notifies_as_connection_issues(delivery: Delivery) -> None:
    delivery.fire(*lately("DatabaseConnectionIssues"), *BEFORE, *AFTER)

    delivery.wait_until_notified("pager", "DatabaseConnectionIssues")
    delivery.wait_until_inhibited(groups=6)
    assert delivery.notified() == [("pager", ["DatabaseConnectionIssues"])]


def test_unrelated_alerts_notify_once_for_all_hosts(
    delivery: Delivery,
) -> None:
    hosts = [alert("HostCpuHigh", "warning", "host", host=name) for name in ("a", "b")]
    delivery.fire(POSTGRES_DOWN, *hosts)

    delivery.wait_until_notified("pager", "PostgresDown")
    delivery.wait_until_notified("tickets", "HostCpuHigh", "HostCpuHigh")
    assert len(delivery.notified()) == 2


def test_a_symptom_without_its_cause_notifies(delivery: Delivery) -> None:
    delivery.fire(*BEFORE[1:], AFTER[3])

    delivery.wait_until_notified("pager", "AvailabilityBudgetBurn")
    delivery.wait_until_notified("tickets", "AgentQueueGrowing")
    delivery.wait_until_inhibited(groups=1)
    assert len(delivery.notified()) == 2


def test_critical_inhibits_only_the_same_alerts_warning(delivery: Delivery) -> None:
    full, filling = {"mountpoint": "/"}, {"mountpoint": "/var"}
    delivery.fire(
        alert("HostDiskSpaceLow", "critical", "host", **full),
        alert("HostDiskSpaceLow", "warning", "host", **full),
        alert("HostDiskSpaceLow", "warning", "host", **filling),
    )

    delivery.wait_until_notified("pager", "HostDiskSpaceLow")
    delivery.wait_until_notified("tickets", "HostDiskSpaceLow")
    (ticket,) = [one for one in delivery.recorder.notifications() if one["receiver"] == "tickets"]
    assert [one["labels"]["mountpoint"] for one in ticket["alerts"]] == ["/var"]


def test_missing_workers_notify_and_their_queue_does_not(delivery: Delivery) -> None:
    delivery.fire(
        alert("AgentWorkersMissing", "critical", "queue", queue="tasks"),
        alert("ServiceTelemetryAbsent", "critical", "pipeline", job="agentical-worker"),
        alert("AgentQueueGrowing", "warning", "queue", job="agentical-api", queue="tasks"),
    )

    delivery.wait_until_notified("pager", "AgentWorkersMissing")
    delivery.wait_until_inhibited(groups=2)
    assert delivery.notified() == [("pager", ["AgentWorkersMissing"])]


def test_collector_down_inhibits_the_absence_alerts(delivery: Delivery) -> None:
    absent = ("ServiceTelemetryAbsent", "HostUnreachable", "PostgresDown", "RedisDown")
    delivery.fire(
        alert("CollectorDown", "critical", "pipeline", instance="collector"),
        *(alert(name, "critical", "", host=f"of {name}") for name in absent),
    )

    delivery.wait_until_notified("pager", "CollectorDown")
    delivery.wait_until_inhibited(groups=len(absent))
    assert delivery.notified() == [("pager", ["CollectorDown"])]


def test_a_firing_alert_reaches_the_receivers_url(delivery: Delivery, tmp_path: Path) -> None:
    rules = tmp_path / "home" / "rules"
    rules.mkdir(parents=True)
    (rules.parent / "prometheus.yml").symlink_to(PROMETHEUS / "prometheus.yml")
    address = delivery.alertmanager.address
    with Prometheus(
        free_port(), tmp_path / "data", home=rules.parent, alertmanager=address
    ) as prometheus:
        poll_until(lambda: knows_an_alertmanager(prometheus), "the address read from the file")
        (rules / "always.yml").write_text(json.dumps({"groups": [ALWAYS]}))
        os.kill(prometheus.pid, signal.SIGHUP)

        delivery.wait_until_notified("pager", "PostgresDown")
        (notification,) = delivery.recorder.notifications()
        assert notification["path"] == "/pager"
        assert notification["commonAnnotations"] == RULE["annotations"]
        assert notification["alerts"][0]["generatorURL"].startswith(prometheus.url)

    other = httpx.post(f"{delivery.recorder.url}/pager", json={"text": "no notification"})
    assert (other.status_code, delivery.notified()) == (422, [("pager", ["PostgresDown"])])


def knows_an_alertmanager(prometheus: Prometheus) -> bool:
    found = httpx.get(f"{prometheus.url}/api/v1/alertmanagers").json()["data"]
    return bool(found["activeAlertmanagers"])
