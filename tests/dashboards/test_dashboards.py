import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from pytest_otelcol.ports import free_port

from grafana.generate import DASHBOARDS, files
from stack.services import Prometheus

ALL = sorted(DASHBOARDS.glob("*.json"))
SOURCES = {"prometheus"}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with Prometheus(free_port(), tmp_path_factory.mktemp("prometheus")) as running:
        yield running


def test_the_committed_dashboards_are_the_generated_ones() -> None:
    committed = {path: path.read_text() for path in ALL}

    assert committed == files(), "run `make dashboards` and commit what it writes"


def test_grafanas_own_schema_reads_each_dashboard_whole() -> None:
    register_default_plugins()
    for path in ALL:
        model = Dashboard.from_json(read(path))
        assert json.loads(json.dumps(model, cls=JSONEncoder)) == read(path), path


def test_the_overview_shows_requests_cpu_and_memory_in_mb() -> None:
    overview = read(DASHBOARDS / "overview.json")
    units = {
        panel["title"]: panel["fieldConfig"]["defaults"]["unit"] for panel in overview["panels"]
    }

    assert overview["title"] == "Agentical Infrastructure Overview"
    assert units == {
        "Requests per second": "reqps",
        "Request duration, 95th percentile": "s",
        "CPU usage": "cores",
        "Memory usage (MB)": "mbytes",
    }


def test_exemplars_come_from_the_histogram_whose_traces_are_kept() -> None:
    asked = [
        target["expr"]
        for path in ALL
        for panel in read(path)["panels"]
        for target in panel["targets"]
        if target.get("exemplar")
    ]

    assert asked
    assert all("agentical_sampled_request_duration_seconds_bucket" in expr for expr in asked)


def test_every_query_is_promql_to_a_provisioned_source(prometheus: Prometheus) -> None:
    for path in ALL:
        for panel in read(path)["panels"]:
            for target in panel["targets"]:
                assert target["datasource"]["uid"] in SOURCES, panel["title"]
                expr = target["expr"].replace("$__rate_interval", "1m")
                answer = httpx.post(f"{prometheus.url}/api/v1/format_query", data={"query": expr})
                assert answer.json()["status"] == "success", (panel["title"], answer.text)


def test_no_panel_draws_a_raw_counter() -> None:
    for path in ALL:
        for panel in read(path)["panels"]:
            for target in panel["targets"]:
                raw = re.sub(r"(rate|increase)\([^()]*\)", "", target["expr"])
                assert not re.search(r"_(total|bucket|count|sum)\b", raw), panel["title"]
