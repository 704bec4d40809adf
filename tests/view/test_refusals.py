"""What cannot be reached through the page's server, and what never leaves it."""

import base64
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from otelcol_runner.ports import free_port

from stack.paths import ROOT
from stack.services.view import View
from stack.view import app
from stack.view.proxy import MAX_BODY
from stack.view.server import configuration
from stack.view.settings import Settings
from tests.view.conftest import TOKEN, Site
from tests.view.witness import ANSWER, Witness

QUERY = "/api/prometheus/api/v1/query"
USER = "reader:password-of-a-reader"
# Each is refused with this status; those with 200 are the page itself.
REFUSED = [
    ("POST", "/api/prometheus/api/v1/admin/tsdb/delete_series?match[]=up", 405),
    ("GET", "/api/prometheus/api/v1/admin/tsdb/snapshot", 404),
    ("POST", "/api/prometheus/api/v1/write", 405),
    ("POST", "/api/prometheus/api/v1/otlp/v1/metrics", 405),
    ("POST", "/api/prometheus/-/quit", 405),
    ("POST", "/-/quit", 405),
    ("POST", "/-/reload", 405),
    ("POST", "/api/v1/write", 405),
    ("GET", "/-/quit", 200),
    ("GET", "/api/v1/query?query=up", 404),
    ("GET", "/api/prometheus/api/v1/targets", 404),
    ("GET", "/api/prometheus/api/v1/status/config", 404),
    ("GET", "/api/prometheus/federate", 404),
    ("GET", "/api/prometheus/", 404),
    ("GET", "/api/", 404),
    ("DELETE", "/api/prometheus/api/v1/series", 405),
    ("PUT", QUERY, 405),
    ("PATCH", QUERY, 405),
    ("OPTIONS", QUERY, 405),
    ("TRACE", QUERY, 405),
    ("CONNECT", "127.0.0.1:1", 405),
    ("POST", "/api/prometheus/api/v1/rules", 405),
    ("POST", "/api/prometheus/api/v1/label/job/values", 405),
    ("POST", "/d/agentical-overview", 405),
    ("POST", "/assets/index-1a2b3c.js", 405),
    ("POST", "/boards/index.json", 405),
    # Paths that a server behind might read differently.
    ("GET", "/api/prometheus/api/v1/../../../-/quit", 404),
    ("GET", "/api/prometheus/api/v1/query/../admin/tsdb/snapshot", 404),
    ("GET", "/api/prometheus/api/v1/query%2f..%2fadmin", 404),
    ("GET", "/api/prometheus/api/v1/%71uery", 404),
    ("GET", "/api/prometheus/api/v1/query/", 404),
    ("GET", "/api/prometheus/api/v1//query", 404),
    ("GET", "/api/prometheus/api/v1/query;a=b", 404),
    ("GET", "/api/prometheus/api/v1/query\\..\\admin", 404),
    ("GET", "/api/prometheus/api/v1/label/a%2Fb/values", 404),
    ("GET", "/api/prometheus/api/v1/label/../values", 404),
    ("GET", "/api/prometheus/api/v1/label/%2e%2e/values", 404),
    ("GET", "/api/prometheus/api/v1/label/a?b/values", 404),
    ("GET", "/API/prometheus/api/v1/query", 200),
    ("GET", "http://127.0.0.1:1/api/v1/query", 404),
    ("GET", "/assets/../index.html", 404),
    ("GET", "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd", 404),
    ("GET", "/boards/%2e%2e%2f%2e%2e%2fpyproject.json", 404),
    ("GET", "/boards/../pyproject.toml", 404),
    # Logfire and Alertmanager.
    ("GET", "/api/logfire/v2/query", 404),
    ("POST", "/api/logfire/v1/traces", 405),
    ("GET", "/api/logfire/v1/read-token-info", 404),
    ("POST", "/api/alertmanager/api/v2/silences", 405),
    ("POST", "/api/alertmanager/api/v2/alerts", 405),
    ("DELETE", "/api/alertmanager/api/v2/silence/1", 405),
    ("GET", "/api/alertmanager/api/v2/receivers", 404),
]
SECURITY = {
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
FOREIGN = [
    {"host": "attacker.example"},
    {"host": "attacker.example:3000"},
    {"host": "127.0.0.1.attacker.example"},
    {"host": "127.0.0.1@attacker.example"},
    {"host": "169.254.169.254"},
    {"host": ""},
    {"origin": "https://attacker.example"},
    {"origin": "null"},
    {"origin": "http://localhost:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with Witness() as running:
        yield running


@pytest.fixture(scope="module")
def view(witness: Witness, files: Path) -> Iterator[View]:
    """The server, with the witness behind it as all three backends."""
    backends = {
        "PROMETHEUS_URL": f"http://{USER}@{witness.place}/prefix/",
        "LOGFIRE_QUERY_ENDPOINT": f"http://{witness.place}/logfire",
        "LOGFIRE_READ_TOKEN": TOKEN,
        "ALERTMANAGER_URL": f"http://{witness.place}",
    }
    links = {"VIEW_ALLOWED_HOSTS": "observe.example, Other.Example"}
    with View(free_port(), files, backends, links) as running:
        yield running


def raw(view: View, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Send a path as it is: clients of a higher level would tidy it up."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    place = view.url.removeprefix("http://")
    connection = http.client.HTTPConnection(place, timeout=10)
    try:
        connection.putrequest(method, path, skip_host="host" in given, skip_accept_encoding=True)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(("method", "path", "status"), REFUSED)
def test_nothing_else_reaches_a_backend(
    view: View, witness: Witness, method: str, path: str, status: int
) -> None:
    before = len(witness.asked)
    answered, text = raw(view, method, path)
    assert (answered, len(witness.asked)) == (status, before)
    assert status != 200 or text == "<title>the page</title>"
    assert "root:" not in text


def test_the_page_of_the_documentation_lists_all_that_is_passed_on() -> None:
    page = (ROOT / "docs" / "view.md").read_text()
    rows = re.findall(r"^\| `(/api/\w+/api/v\d/)` ([^|]+) \| \w+ \| ([A-Z, ]+) \|$", page, re.M)
    said = {
        start + path.replace("<name>", "{label}"): tuple(methods.split(", "))
        for start, paths, methods in rows
        for path in re.findall(r"`([^`]+)`", paths)
    }
    code = {f"/api/prometheus/api/v1/{path}": methods for path, methods in app.PROMETHEUS.items()}
    code |= {f"/api/alertmanager/api/v2/{path}": how for path, how in app.ALERTMANAGER.items()}
    assert said == code
    assert app.LOGFIRE == {"query": ("POST",)}


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_sites_page_is_refused(
    view: View, witness: Witness, headers: dict[str, str]
) -> None:
    before = len(witness.asked)
    for method, path in (("GET", QUERY), ("POST", QUERY), ("GET", "/boards/index.json")):
        status, text = raw(view, method, path, **headers)
        assert (status, text.partition(":")[0]) == (403, "refused")
    assert len(witness.asked) == before


@pytest.mark.parametrize(
    "host", ["localhost:8080", "127.0.0.1", "[::1]:3000", "observe.example", "OTHER.example:443"]
)
def test_the_names_of_this_server_are_served(view: View, host: str) -> None:
    assert raw(view, "GET", QUERY, host=host, origin=f"https://{host}")[0] == 200
    assert raw(view, "GET", QUERY, host=host, sec_fetch_site="same-origin")[0] == 200


def test_a_link_from_another_site_opens_the_page(view: View) -> None:
    assert raw(view, "GET", "/graph?g0.expr=up", sec_fetch_site="cross-site")[0] == 200


def test_of_a_request_only_the_query_and_its_type_are_passed_on(
    view: View, witness: Witness
) -> None:
    sent = {
        "authorization": "Bearer of-the-browser",
        "cookie": "session=of-the-browser",
        "x-scope-orgid": "another-tenant",
        "x-forwarded-for": "192.0.2.1",
        "content-type": "application/json",
        "accept": "application/json",
    }
    httpx.get(f"{view.url}{QUERY}?query=a%2Fb%26%3D+%23&time=1", headers=sent)
    httpx.post(f"{view.url}/api/logfire/v2/query", json={"sql": "1"}, headers=sent)
    prometheus, logfire = witness.asked[-2:]
    target = "/prefix/api/v1/query?query=a%2Fb%26%3D+%23&time=1"
    assert (prometheus.method, prometheus.target) == ("GET", target)
    assert (logfire.method, logfire.target, logfire.body) == (
        "POST",
        "/logfire/v2/query",
        b'{"sql":"1"}',
    )
    assert (
        prometheus.headers["authorization"] == f"Basic {base64.b64encode(USER.encode()).decode()}"
    )
    assert logfire.headers["authorization"] == f"Bearer {TOKEN}"
    for asked in (prometheus, logfire):
        assert "browser" not in str(asked.headers)
        assert not {"cookie", "x-scope-orgid", "x-forwarded-for"} & asked.headers.keys()
        assert asked.headers["accept"] == "application/json"


def test_of_an_answer_only_its_type_is_passed_on_beside_the_security_headers(view: View) -> None:
    answer = httpx.get(view.url + QUERY)
    assert answer.content == ANSWER
    assert {*answer.headers} == {
        "cache-control",
        "content-security-policy",
        "content-type",
        "cross-origin-resource-policy",
        "date",
        "referrer-policy",
        "transfer-encoding",
        "x-content-type-options",
    }
    caching = {
        "/": "no-cache",
        "/assets/index-1a2b3c.js": "public, max-age=31536000, immutable",
        "/api/config": "no-store",
        "/api/nothing": "no-store",
        "/boards/index.json": "no-store",
        QUERY: "no-store",
    }
    for path, cached in caching.items():
        headers = httpx.get(view.url + path).headers
        assert {name: headers[name] for name in SECURITY} == SECURITY
        assert headers["cache-control"] == cached
        assert "access-control-allow-origin" not in headers


def test_a_websocket_is_not_opened(view: View, files: Path) -> None:
    # Even where a library for them is installed.
    assert configuration(Settings("127.0.0.1", 0, files)).ws == "none"
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    # An upgrade that is not supported is ignored: the same refusal as without it.
    assert raw(view, "GET", "/", host="attacker.example", **upgrade)[1].startswith("refused: ")
    assert raw(view, "GET", "/", **upgrade) == (200, "<title>the page</title>")


def test_a_request_that_is_too_large_is_refused(view: View, witness: Witness) -> None:
    before = len(witness.asked)
    answer = httpx.post(view.url + QUERY, content=b"x" * (MAX_BODY + 1))
    assert (answer.status_code, len(witness.asked)) == (413, before)
    assert httpx.post(view.url + QUERY, content=b"x" * MAX_BODY).status_code == 200


def test_a_backend_that_is_away_is_named_without_its_password(files: Path) -> None:
    away = f"127.0.0.1:{free_port()}"
    backends = {
        "PROMETHEUS_URL": f"http://{USER}@{away}/prefix",
        "LOGFIRE_QUERY_ENDPOINT": f"http://{away}",
        "LOGFIRE_READ_TOKEN": TOKEN,
    }
    with View(free_port(), files, backends) as view:
        answer = httpx.get(view.url + QUERY)
        body = answer.json()
        assert (answer.status_code, body["status"], body["errorType"]) == (
            502,
            "error",
            "unavailable",
        )
        assert body["error"].startswith(f"Prometheus at http://{away}/prefix does not answer: ")
        asked = httpx.post(f"{view.url}/api/logfire/v2/query", json={"sql": "SELECT 1"})
        assert asked.json()["error"].startswith(f"Logfire at http://{away} does not answer: ")
        alerts = httpx.get(f"{view.url}/api/logfire-alerts").json()
        assert all(one["error"].startswith("cannot reach the query API") for one in alerts)
        assert not any(one["firing"] for one in alerts)
        # Without Alertmanager, its paths are not there.
        assert httpx.get(f"{view.url}/api/alertmanager/api/v2/alerts").status_code == 404
        assert httpx.get(f"{view.url}/api/config").json()["alertmanager"] is False
        said = "".join([answer.text, asked.text, json.dumps(alerts), view.output()])
    assert TOKEN not in said
    assert USER.partition(":")[2] not in said


def test_the_token_is_in_no_answer_and_no_output(site: Site) -> None:
    for path in ("/", "/api/config", "/api/logfire-alerts", "/boards/index.json", "/api/logfire"):
        answer = site.client.get(path)
        assert TOKEN not in answer.text + str(answer.headers)
    for sql in ("SELECT 1", "SELECT broken("):
        asked = {"sql": sql, "min_timestamp": "2026-01-01T00:00:00Z"}
        answer = site.client.post("/api/logfire/v2/query", json=asked)
        assert TOKEN not in answer.text + str(answer.headers)
    site.client.post("/api/logfire/v2/query", content=b"\xff")
    assert TOKEN not in site.view.output()
