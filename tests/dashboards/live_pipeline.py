"""A pipeline under load, with a replica of its Postgres and metrics of a cluster."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.sender import Sender
from otelcol_runner.telemetry import gauge
from redis import Redis

from alerts.model import matrix
from alerts.rules import rule
from stack.clients.prometheus import PromQL
from stack.load.generator import Load
from stack.paths import PROMETHEUS
from stack.pipeline.launch import Pipeline
from stack.services.prometheus import Prometheus
from tests.support.ledger import quick_rules
from tests.support.replica import Replica
from tests.support.servers import scratch_folder
from tests.support.shapes import kubernetes

PROJECT, GRAFANA = "https://logfire-eu.pydantic.dev/acme/shop", "https://grafana.example"
PHASES = range(1, 6)
POD = "agentical-api-7d9c5b6f4d-x2x8"  # as long as a deployment's pods are called
FIRES = "HostCpuHigh"  # fires here without any load


@dataclass
class LivePipeline:
    """The pipeline, and the Prometheus that it writes to."""

    pipeline: Pipeline
    prometheus: Prometheus
    client: httpx.Client  # shared: creating one is slow


@contextmanager
def live_pipeline(folder: Path) -> Iterator[LivePipeline]:
    """Run everything; rules are evaluated often."""
    prometheus = Prometheus(free_port(), folder / "data", config=quick(folder))
    pipeline = Pipeline(
        environment="production",
        overlays=["infrastructure/kubernetes"],
        variables={
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": prometheus.remote_write_endpoint,
            "SELF_LAST_REPORT_ENDPOINT": prometheus.last_report_endpoint,
            "LOGFIRE_PROJECT_URL": PROJECT,
            "GRAFANA_URL": GRAFANA,
            "INFRASTRUCTURE_INTERVAL": "1s",
            "SPAN_METRICS_INTERVAL": "1s",
            "SELF_METRICS_INTERVAL_MS": "1000",
            "TRACE_DECISION_WAIT": "1s",
        },
    )
    with ExitStack() as stack:
        for part in (prometheus, pipeline):
            stack.enter_context(part)
        data = stack.enter_context(scratch_folder("replica"))
        stack.enter_context(Replica(pipeline.postgres, free_port(), data))
        stack.enter_context(Load(pipeline.api_url, rate=20))
        limited(pipeline)
        refused(pipeline)
        report_pods(pipeline, prometheus)
        client = httpx.Client(base_url=f"{prometheus.url}/api/v1/", timeout=20)
        yield LivePipeline(pipeline, prometheus, stack.enter_context(client))


def quick(folder: Path) -> Path:
    """Return a configuration with the shipped rules, evaluated often, and an alert that fires."""
    config, rules = quick_rules(folder), folder / "rules"
    rules.mkdir()
    for shipped in (PROMETHEUS / "rules").rglob("*.yml"):
        often = shipped.read_text().replace("interval: 1m", "interval: 1s")
        (rules / shipped.name).write_text(often.replace("[1h:1m]", "[1h:2s]"))
    (rules / "fires.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "fires", "rules": [fires()]}]})
    )
    config.write_text(config.read_text().replace(f"{PROMETHEUS}/rules/", f"{rules}/"))
    return config


def fires() -> dict[str, object]:
    """Return an alert of the matrix, but with a threshold that is exceeded at once."""
    (alert,) = (alert for alert in matrix().alerts if alert.name == FIRES)
    assert alert.prometheus is not None
    how = alert.prometheus.model_copy(update={"threshold": -1.0, "for_": "0s"})
    return rule(alert, how, matrix().links)


def limited(pipeline: Pipeline) -> None:
    """Give Redis a limit, without which it has no share in use."""
    with Redis(port=pipeline.ports.redis, password=pipeline.redis_password) as redis:
        redis.config_set("maxmemory", "1gb")


def refused(pipeline: Pipeline) -> None:
    """Send a request that the collector cannot decode."""
    protobuf = {"Content-Type": "application/x-protobuf"}
    answer = httpx.post(f"{pipeline.otlp_url}/v1/traces", content=b"spans", headers=protobuf)
    assert answer.status_code == 400, answer.text


def report_pods(pipeline: Pipeline, prometheus: Prometheus) -> None:
    """Send what agents in a cluster send, of pods in every phase, until it has a rate."""
    cluster = Sender(pipeline.otlp_url)

    def two_samples() -> bool:
        for phase in PHASES:
            for resource, metrics in kubernetes(f"{POD}{phase}"):
                own = gauge("k8s.pod.phase", phase)
                sent = [own if metric.name == own.name else metric for metric in metrics]
                cluster.send(*sent, resource=resource)
        with PromQL(prometheus.url) as promql:
            return promql.number("min(count_over_time(container_cpu_usage_seconds_total[1m]))") > 1

    poll_until(two_samples, "two reports of the cluster", timeout=40)
