"""The page in its container: the profile `page` of docker-compose.yml."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from otelcol_runner.polling import poll_until

from stack.paths import ROOT
from stack.standins.logfire import READ_TOKEN
from tests.containers.compose import Compose
from tests.containers.docker import docker

pytestmark = pytest.mark.timeout(600)
BOARDS = {
    (folder, json.loads(path.read_text())["metadata"]["name"])
    for folder, room in (("prometheus", "view"), ("logfire", "logfire"))
    for path in (ROOT / room / "generated").glob("*.json")
}
COUNT = {"sql": "SELECT count(*) AS n FROM records", "min_timestamp": "2026-01-01T00:00:00Z"}


@pytest.fixture
def answers() -> Iterator[list[str]]:
    """All that the page sends, which must not have the token in it."""
    seen: list[str] = []
    yield seen
    assert seen
    assert not [text for text in seen if READ_TOKEN in text]


def test_the_page_shows_both_backends_and_keeps_the_token(
    stack: Compose, answers: list[str]
) -> None:
    assert f"LOGFIRE_READ_TOKEN={READ_TOKEN}" in stack.inspect("page")["Config"]["Env"]

    def keep(response: httpx.Response) -> None:
        answers.append(f"{response.headers}{response.read().decode()}")

    hooks = {"response": [keep]}
    with httpx.Client(base_url=stack.url("page", 3001), event_hooks=hooks, timeout=30) as page:
        (script,) = re.findall(r'src="(/assets/[^"]+[.]js)"', page.get("/d/agentical-slos").text)
        assert page.get(script).headers["content-type"].startswith("text/javascript")
        listed = page.get("/boards/index.json").json()
        assert {(board["backend"], board["uid"]) for board in listed} == BOARDS
        poll_until(lambda: series(page), "a metric of Prometheus through the page", timeout=40)
        poll_until(lambda: records(page) > 0, "a record of Logfire through the page", timeout=40)
        assert isinstance(page.get("/api/alertmanager/api/v2/alerts").json(), list)
        alerts = page.get("/api/logfire-alerts").json()
        assert {alert["error"] for alert in alerts} == {None}
        assert page.get("/api/config").json()["logfire_is_stand_in"]
        for host, status in (("localhost", 200), ("page", 403), ("attacker.example", 403)):
            headers = {"host": f"{host}:{page.base_url.port}"}
            assert page.get("/api/config", headers=headers).status_code == status


def series(page: httpx.Client) -> list[object]:
    query = {"query": "system_cpu_time_seconds_total"}
    answer = page.get("/api/prometheus/api/v1/query", params=query)
    found: list[object] = answer.raise_for_status().json()["data"]["result"]
    return found


def records(page: httpx.Client) -> int:
    answer = page.post("/api/logfire/v2/query", json=COUNT)
    return int(answer.raise_for_status().json()["data"][0]["n"])


def test_the_image_has_the_dashboards_without_the_mounted_folders(stack: Compose) -> None:
    program = "from stack.view.boards import *; print(*(name(b) for _, b in Boards(FOLDERS).all()))"
    image = str(stack.images["PAGE_IMAGE"])
    said = docker("run", "--rm", "--network=none", "--read-only", image, "python", "-c", program)

    assert set(said.split()) == {uid for _, uid in BOARDS}
