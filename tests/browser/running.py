"""The demo's pipeline with the page, under load, and with an alert that fires."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml
from otelcol_runner.polling import poll_until

from stack.clients import http
from stack.clients.prometheus import PromQL
from stack.load.generator import Load
from stack.paths import PROMETHEUS
from stack.pipeline.launch import Pipeline
from stack.pipeline.ports import Ports
from stack.tools import page
from tests.dashboards.live_pipeline import FIRES, fires

QUICK = {
    "INFRASTRUCTURE_INTERVAL": "1s",
    "SPAN_METRICS_INTERVAL": "1s",
    "SELF_METRICS_INTERVAL_MS": "1000",
}


@contextmanager
def running_page(folder: Path) -> Iterator[Pipeline]:
    """Run everything; the first data is at both backends."""
    ports = Ports.free()
    pipeline = Pipeline(
        ports,
        page=page.provide(),
        metrics_home=quick(folder / "prometheus"),
        variables={**QUICK, "GRAFANA_URL": f"http://127.0.0.1:{ports.grafana}"},
    )
    with pipeline, Load(pipeline.api_url, rate=10):
        with PromQL(pipeline.prometheus_url) as promql:
            for series in ("agentical_agent_tasks_total", "otelcol_exporter_sent_spans_total"):
                # Old enough for a chart, whose last point is up to ten seconds ago.
                rates = f"sum(rate({series}[40s] offset 10s)) > 0"
                poll_until(partial(promql.series, rates), f"a rate of {series}", timeout=90)
            fired = f'ALERTS{{alertname="{FIRES}", alertstate="firing"}} offset 15s'
            poll_until(lambda: promql.series(fired), f"{FIRES} to fire", timeout=60)
        poll_until(lambda: exemplars(pipeline.prometheus_url), "an exemplar", timeout=60)
        yield pipeline


def exemplars(prometheus: str) -> list[object]:
    now = time.time()
    asked = {
        "query": "agentical_sampled_request_duration_seconds_bucket",
        "start": f"{now - 60}",
        "end": f"{now}",
    }
    answer = http.get(f"{prometheus}/api/v1/query_exemplars", params=asked).raise_for_status()
    found: list[object] = answer.json()["data"]
    return found


def quick(home: Path) -> Path:
    """Return the shipped rules, evaluated every five seconds, and an alert that fires."""
    shutil.copytree(PROMETHEUS, home, ignore=shutil.ignore_patterns("tests"))
    config = home / "prometheus.yml"
    replaced(config, {"evaluation_interval: 15s": "evaluation_interval: 5s"})
    waits = {"group_wait: 30s": "group_wait: 1s", "group_wait: 2m": "group_wait: 1s"}
    replaced(home / "alertmanager.yml", waits)
    for path in (home / "rules").rglob("*.yml"):
        rules = yaml.safe_load(path.read_text().replace("interval: 1m", "interval: 5s"))
        for each in rules["groups"]:
            # The shipped one would be pending beside it on a busy machine.
            each["rules"] = [rule for rule in each["rules"] if rule.get("alert") != FIRES]
        path.write_text(yaml.safe_dump(rules))
    group = {"name": "fires", "rules": [fires()]}
    (home / "rules" / "fires.yml").write_text(yaml.safe_dump({"groups": [group]}))
    return home


def replaced(path: Path, pairs: dict[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs.items():
        assert old in text, (path, old)
        text = text.replace(old, new)
    path.write_text(text)
