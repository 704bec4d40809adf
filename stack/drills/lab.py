"""The pipeline that drills break: the demo's, with compressed time, under a healthy load."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alerts.model import matrix
from alerts.queries import evaluated, sql
from stack.clients import http
from stack.clients.logfire import duration
from stack.drills.faster import SAMPLE_SECONDS, faster_files
from stack.errors import UserError
from stack.load.generator import Load
from stack.pipeline.launch import Pipeline
from stack.services.alertmanager import Alertmanager
from stack.services.folders import scratch
from stack.services.notifications import NotificationRecorder
from stack.services.stand_in import StandIn
from stack.tools.progress import Report

RATE = 5.0  # requests a second
MS = f"{SAMPLE_SECONDS * 1000:.0f}"
SHORT_INTERVALS = {
    "INFRASTRUCTURE_INTERVAL": f"{MS}ms",
    "SPAN_METRICS_INTERVAL": f"{MS}ms",
    "SELF_METRICS_INTERVAL_MS": MS,
    "OTEL_METRIC_EXPORT_INTERVAL": MS,
    # In seconds. With the default, 10, metrics pause for so long after the collector was down.
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "1",
}


class Fired(NamedTuple):
    """An alert without the labels of its series."""

    name: str
    severity: str
    pillar: str

    def __str__(self) -> str:
        return f"{self.name} ({self.severity})"


class Notification(NamedTuple):
    """One notification: its receiver, its status, and its alerts."""

    receiver: str
    status: str
    alerts: frozenset[Fired]


@dataclass(frozen=True)
class Lab:
    """A running pipeline in which time runs `factor` times faster.

    `cleanup` closes what a drill keeps open until the pipeline stops.
    """

    pipeline: Pipeline
    alertmanager: Alertmanager
    recorder: NotificationRecorder
    stand_in: StandIn
    factor: float
    cleanup: ExitStack = field(default_factory=ExitStack)

    def seconds(self, minutes: float) -> float:
        """Return the real seconds for minutes of compressed time."""
        return minutes * 60 / self.factor

    def alerts(self) -> dict[Fired, str]:
        """Return the state of each pending or firing alert; raises `httpx.HTTPError`."""
        answer = http.get(f"{self.pipeline.prometheus_url}/api/v1/alerts", timeout=10)
        found: dict[Fired, str] = {}
        for alert in answer.raise_for_status().json()["data"]["alerts"]:
            if found.get(one := fired(alert["labels"])) != "firing":
                found[one] = alert["state"]
        return found

    def fires_at_logfire(self, name: str) -> bool:
        """Return whether Logfire would alert: the alert's query returns a row at the stand-in."""
        alert = next(alert for alert in matrix().alerts if alert.name == name and alert.logfire)
        window = duration(evaluated(alert).window) / self.factor
        return bool(self.stand_in.query(sql(alert), since=window))

    def notifications(self) -> list[Notification]:
        return [
            Notification(one["receiver"], one["status"], alerts_of(one))
            for one in self.recorder.notifications()
        ]

    def uninhibited(self) -> set[Fired]:
        """Return the alerts in Alertmanager that no other alert inhibits."""
        url = f"{self.alertmanager.url}/api/v2/alerts"
        answer = http.get(url, params={"inhibited": "false"}, timeout=10).raise_for_status()
        return {fired(alert["labels"]) for alert in answer.json()}


def alerts_of(notification: Mapping[str, Any]) -> frozenset[Fired]:
    return frozenset(fired(alert["labels"]) for alert in notification["alerts"])


def fired(labels: Mapping[str, str]) -> Fired:
    return Fired(labels["alertname"], labels["severity"], labels.get("pillar", ""))


@contextmanager
def laboratory(factor: float, report: Report) -> Iterator[Lab]:
    """Run a pipeline under a healthy load: some requests are invalid, but no task fails."""
    folder = scratch("drill")
    try:
        home = faster_files(folder / "prometheus", factor)
        pipeline = Pipeline(variables=SHORT_INTERVALS, metrics_home=home, report=report)
        with pipeline, Load(pipeline.api_url, rate=RATE, failing=0):
            lab = lab_of(pipeline, factor)
            with lab.cleanup:
                yield lab
    finally:
        shutil.rmtree(folder)


def lab_of(pipeline: Pipeline, factor: float) -> Lab:
    """Return a running pipeline as a lab; raises `UserError` if a part is missing."""
    match pipeline.alertmanager, pipeline.recorder, pipeline.stand_in:
        case (
            Alertmanager() as alertmanager,
            NotificationRecorder() as recorder,
            StandIn() as stand_in,
        ):
            return Lab(pipeline, alertmanager, recorder, stand_in, factor)
    raise UserError("a drill needs Prometheus, Alertmanager and the stand-in")
