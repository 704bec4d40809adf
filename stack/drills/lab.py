"""The pipeline that drills break: the demo's own, with compressed time, under a healthy load."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

from alerts.model import matrix
from alerts.queries import evaluated, sql
from stack.clients.logfire import duration
from stack.drills.faster import SAMPLE_SECONDS, faster_files
from stack.errors import UserError
from stack.load.generator import Load
from stack.pipeline.launch import Pipeline
from stack.services.alertmanager import Alertmanager, Recorder
from stack.services.servers import StandIn, scratch
from stack.tools.progress import Report

RATE = 5.0  # requests a second
MS = f"{SAMPLE_SECONDS * 1000:.0f}"
OFTEN = {
    "INFRASTRUCTURE_INTERVAL": f"{MS}ms",
    "SPAN_METRICS_INTERVAL": f"{MS}ms",
    "SELF_METRICS_INTERVAL_MS": MS,
    "OTEL_METRIC_EXPORT_INTERVAL": MS,
    # Seconds, in Python: else a producer is silent for ten after the collector was away.
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "1",
}


class Fired(NamedTuple):
    """An alert, without what tells its series apart."""

    name: str
    severity: str
    pillar: str

    def __str__(self) -> str:
        return f"{self.name} ({self.severity})"


class Notification(NamedTuple):
    """What a receiver was told, of which alerts."""

    receiver: str
    status: str
    alerts: frozenset[Fired]


@dataclass(frozen=True)
class Lab:
    """A running pipeline whose time goes `factor` times as fast.

    `later` is what a drill leaves behind until the pipeline is stopped.
    """

    pipeline: Pipeline
    alertmanager: Alertmanager
    recorder: Recorder
    stand_in: StandIn
    factor: float
    later: ExitStack = field(default_factory=ExitStack)

    def seconds(self, minutes: float) -> float:
        """Return how many seconds so many minutes take here."""
        return minutes * 60 / self.factor

    def alerts(self) -> dict[Fired, str]:
        """Return the state of each alert that is pending or fires; raises `httpx.HTTPError`."""
        answer = httpx.get(f"{self.pipeline.prometheus_url}/api/v1/alerts", timeout=10)
        found: dict[Fired, str] = {}
        for alert in answer.raise_for_status().json()["data"]["alerts"]:
            if found.get(one := fired(alert["labels"])) != "firing":
                found[one] = alert["state"]
        return found

    def fires_at_logfire(self, name: str) -> bool:
        """Tell whether the service would alert: its query, on the stand-in, returns a row."""
        alert = next(alert for alert in matrix().alerts if alert.name == name and alert.logfire)
        window = duration(evaluated(alert).window) / self.factor
        return bool(self.stand_in.query(sql(alert), since=window))

    def told(self) -> list[Notification]:
        """Return every notification so far."""
        return [
            Notification(one["receiver"], one["status"], alerts_of(one))
            for one in self.recorder.told()
        ]

    def unsilenced(self) -> set[Fired]:
        """Return what Alertmanager has and no other alert silences."""
        url = f"{self.alertmanager.url}/api/v2/alerts"
        answer = httpx.get(url, params={"inhibited": "false"}, timeout=10).raise_for_status()
        return {fired(alert["labels"]) for alert in answer.json()}


def alerts_of(notification: Mapping[str, Any]) -> frozenset[Fired]:
    """Return the alerts that a recorded notification is about."""
    return frozenset(fired(alert["labels"]) for alert in notification["alerts"])


def fired(labels: Mapping[str, str]) -> Fired:
    """Return the alert with these labels."""
    return Fired(labels["alertname"], labels["severity"], labels.get("pillar", ""))


@contextmanager
def laboratory(factor: float, report: Report) -> Iterator[Lab]:
    """Run a pipeline with a healthy load inside: no task fails, though users make mistakes."""
    folder = scratch("drill")
    try:
        home = faster_files(folder / "prometheus", factor)
        pipeline = Pipeline(variables=OFTEN, metrics_home=home, report=report)
        with pipeline, Load(pipeline.api_url, rate=RATE, failing=0):
            lab = in_lab(pipeline, factor)
            with lab.later:
                yield lab
    finally:
        shutil.rmtree(folder)


def in_lab(pipeline: Pipeline, factor: float) -> Lab:
    """Return a running pipeline as a laboratory. Raises `UserError` when a part is missing."""
    match pipeline.alertmanager, pipeline.recorder, pipeline.stand_in:
        case Alertmanager() as alertmanager, Recorder() as recorder, StandIn() as stand_in:
            return Lab(pipeline, alertmanager, recorder, stand_in, factor)
    raise UserError("a drill needs Prometheus, Alertmanager and the stand-in")
