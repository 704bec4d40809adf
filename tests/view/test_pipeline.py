"""The page as a part of the demo's pipeline."""

import json
import os
import signal
from pathlib import Path

import httpx
import pytest
from otelcol_runner.polling import poll_until

from stack.demo.places import rows
from stack.drills.faster import faster
from stack.paths import PROMETHEUS
from stack.pipeline.launch import Pipeline
from tests.alerts.test_delivery import ALWAYS, knows_an_alertmanager


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Prometheus' and Alertmanager's configuration, without rules and with short waits."""
    folder = tmp_path / "home"
    (folder / "rules").mkdir(parents=True)
    (folder / "prometheus.yml").symlink_to(PROMETHEUS / "prometheus.yml")
    shipped = (PROMETHEUS / "alertmanager.yml").read_text()
    (folder / "alertmanager.yml").write_text(faster(shipped, 60))
    return folder


def test_a_notification_leads_to_the_page_and_the_page_to_every_backend(
    files: Path, home: Path
) -> None:
    with Pipeline(page=files, metrics_home=home) as pipeline:
        recorder, prometheus = pipeline.recorder, pipeline.prometheus
        assert recorder is not None
        assert prometheus is not None
        poll_until(lambda: knows_an_alertmanager(prometheus), "the address read from the file")
        (home / "rules" / "always.yml").write_text(json.dumps({"groups": [ALWAYS]}))
        os.kill(prometheus.pid, signal.SIGHUP)
        assert rows(pipeline)[0][:2] == ("both sides", pipeline.page_url)
        with httpx.Client(base_url=pipeline.page_url, trust_env=False) as page:
            (notification,) = poll_until(recorder.notifications, "a notification")
            link = notification["alerts"][0]["generatorURL"]
            assert link.startswith(f"{pipeline.page_url}/graph?g0.expr=vector%281%29")
            assert page.get(link).text == "<title>the page</title>"

            query = {"query": 'ALERTS{alertname="PostgresDown"}'}
            found = page.get("/api/prometheus/api/v1/query", params=query).json()["data"]["result"]
            assert [one["metric"]["alertstate"] for one in found] == ["firing"]
            fired = page.get("/api/alertmanager/api/v2/alerts").json()
            assert [one["labels"]["alertname"] for one in fired] == ["PostgresDown"]
            sql = {"sql": "SELECT 1 AS one", "min_timestamp": "2026-01-01T00:00:00Z"}
            assert page.post("/api/logfire/v2/query", json=sql).json()["data"] == [{"one": 1}]
            swagger = page.get("/api/config").json()["swagger"]
            assert httpx.get(swagger).status_code == 200
