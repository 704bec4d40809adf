"""What the page's server answers: the page, the dashboards, and reads of real backends."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from otelcol_runner.ports import free_port
from otelcol_runner.sender import Sender

from alerts.model import matrix
from grafana.generate import MADE
from stack.paths import ROOT
from stack.services.view import View
from stack.view.app import create
from stack.view.settings import Settings
from tests.alerts.logfire.traffic import served
from tests.view.conftest import TOKEN, Site

PROMETHEUS = "/api/prometheus/api/v1/"
NOW = str(time.time())
RANGE = {"start": NOW, "end": NOW, "step": "15"}
READS: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "query", {"query": "vector(42)", "time": NOW}),
    ("POST", "query", {"query": "vector(42)", "time": NOW}),
    ("GET", "query_range", {"query": "vector(42)", **RANGE}),
    ("POST", "query_range", {"query": 'label_replace(vector(1),"a","é&/?#","","")', **RANGE}),
    ("GET", "query_exemplars", {"query": "up", **RANGE}),
    ("GET", "labels", {}),
    ("POST", "labels", {"match[]": "up"}),
    ("GET", "label/__name__/values", {}),
    ("GET", "series", {"match[]": "up"}),
    ("POST", "series", {"match[]": "up"}),
    ("POST", "parse_query", {"query": "sum(up)"}),
    ("GET", "metadata", {"limit": "1"}),
    ("GET", "alerts", {}),
    ("GET", "status/buildinfo", {}),
]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/d/agentical-overview?var-job=agentical-api&from=now-1h&to=now",
        "/traces/0af7651916cd43dd8448eb211c80319c",
        "/logs",
        "/alerting/list",
        "/graph?g0.expr=up&g0.tab=1",
        "/-/quit",
    ],
)
def test_every_other_path_is_the_page(site: Site, path: str) -> None:
    answer = site.client.get(path)
    assert (answer.status_code, answer.text) == (200, "<title>the page</title>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_built_files_are_cached_as_their_names_allow(site: Site) -> None:
    script = site.client.get("/assets/index-1a2b3c.js")
    assert script.text == "let page = 1"
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert site.client.get("/favicon.svg").headers["content-type"] == "image/svg+xml"
    assert site.client.get("/assets/index-old.js").status_code == 404
    assert site.client.head("/d/agentical-overview").status_code == 200


@pytest.mark.parametrize(("method", "path", "fields"), READS, ids=lambda it: str(it)[:20])
def test_prometheus_is_read_as_if_it_were_asked_itself(
    site: Site, method: str, path: str, fields: dict[str, str]
) -> None:
    sent: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
    answer = site.client.request(method, PROMETHEUS + path, **sent)
    direct = httpx.request(method, f"{site.prometheus.url}/api/v1/{path}", **sent)
    assert (answer.status_code, answer.json()) == (200, direct.json())
    assert answer.json()["status"] == "success"
    assert answer.headers["content-type"] == direct.headers["content-type"]


def test_rules_are_those_of_the_repository(site: Site) -> None:
    groups = site.client.get(f"{PROMETHEUS}rules").json()["data"]["groups"]
    assert "PostgresDown" in {rule["name"] for group in groups for rule in group["rules"]}


def test_an_error_of_prometheus_is_passed_on(site: Site) -> None:
    answer = site.client.get(f"{PROMETHEUS}query", params={"query": "sum("})
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")


def test_logfire_is_asked_with_the_servers_token(site: Site) -> None:
    since = {"min_timestamp": "2026-01-01T00:00:00Z"}
    asked = {"sql": "SELECT 1 AS one", **since}
    forged = {"authorization": "Bearer guessed"}
    answer = site.client.post("/api/logfire/v2/query", json=asked, headers=forged)
    assert (answer.status_code, answer.json()["data"]) == (200, [{"one": 1}])
    wrong = site.client.post(
        "/api/logfire/v2/query", json={"sql": "SELECT nosuch FROM records", **since}
    )
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/problem+json")
    assert "nosuch" in wrong.json()["detail"]


@pytest.mark.parametrize("path", ["alerts", "silences", "status"])
def test_alertmanager_is_read(site: Site, path: str) -> None:
    answer = site.client.get(f"/api/alertmanager/api/v2/{path}")
    assert answer.json() == httpx.get(f"{site.alertmanager.url}/api/v2/{path}").json()


def test_the_configuration_names_what_is_there_and_no_secret(site: Site) -> None:
    assert site.client.get("/api/config").json() == {
        "version": "0.1.0",
        "prometheus": True,
        "logfire": True,
        "logfire_is_stand_in": True,
        "logfire_project_url": None,
        "alertmanager": True,
        "runbooks": matrix().links.runbooks,
        "swagger": "http://127.0.0.1:8000/docs",
    }


def test_logfires_alerts_are_evaluated_as_on_the_command_line(site: Site, files: Path) -> None:
    Sender(site.stand_in.url).send(
        *served(0, 5), headers={"authorization": f"Bearer {site.stand_in.write_token}"}
    )
    backend = {"LOGFIRE_QUERY_ENDPOINT": site.stand_in.url, "LOGFIRE_READ_TOKEN": TOKEN}
    with View(free_port(), files, backend) as view:  # which has not evaluated them before
        found, again = (
            {one["name"]: one for one in httpx.get(f"{view.url}/api/logfire-alerts").json()}
            for _ in range(2)
        )
    assert list(found) == [alert.name for alert in matrix().alerts if alert.logfire]
    assert [name for name, one in found.items() if one["firing"]] == ["ApplicationErrorRateHigh"]
    fired = found["ApplicationErrorRateHigh"]
    assert fired["rows"][0]["service_name"] == "test-service"
    assert fired["runbook_url"].endswith("docs/runbooks.md#applicationerrorratehigh")
    assert fired["dashboard_url"] == "/d/agentical-application"
    assert {one["error"] for one in found.values()} == {None}
    assert again == found  # with the time of the evaluation: it was not repeated


def test_dashboards_are_listed_the_overview_first(site: Site) -> None:
    listed = site.client.get("/boards/index.json").json()
    by_backend = {
        side: [board["uid"] for board in listed if board["backend"] == side]
        for side in ("prometheus", "logfire")
    }
    assert by_backend["prometheus"] == [f"agentical-{make.__name__}" for make in MADE]
    assert by_backend["logfire"] == sorted(
        path.stem for path in (ROOT / "logfire" / "generated").iterdir()
    )
    assert listed[0]["title"] == "Agentical Infrastructure Overview"
    for board in listed:
        one = site.client.get(f"/boards/{board['uid']}.json").json()
        assert (one["kind"], one["metadata"]["name"]) == ("Dashboard", board["uid"])
    assert site.client.get("/boards/agentical-nosuch.json").status_code == 404


def test_an_edited_dashboard_is_shown_without_a_restart(files: Path, tmp_path: Path) -> None:
    application = create(Settings("127.0.0.1", 3000, files), {"prometheus": tmp_path})
    shown = tmp_path / "mine.json"

    async def edits() -> None:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for title in ("first", "second"):
                display = {"name": title, "description": "of tests"}
                board = {"metadata": {"name": "mine"}, "spec": {"display": display}}
                shown.write_text(json.dumps(board))
                (entry,) = (await client.get("/boards/index.json")).json()
                assert (entry["uid"], entry["title"], entry["description"]) == (
                    "mine",
                    title,
                    "of tests",
                )
            (tmp_path / "broken.json").write_text("{")
            (entry,) = (await client.get("/boards/index.json")).json()
            assert entry["uid"] == "mine"
            assert (await client.get("/boards/mine.json")).json() == board
            sentence = f"{tmp_path / 'broken.json'} is not a dashboard: run `make generate`"
            for uid in ("broken", "agentical-broken"):
                broken = await client.get(f"/boards/{uid}.json")
                assert (broken.status_code, broken.json()["error"]) == (500, sentence)
            assert (await client.get("/boards/agentical-mine.json")).status_code == 404

    asyncio.run(edits())
