"""The SERVER span of every kind of request, from a service on a real server."""

import asyncio
import functools
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otelcol_runner.ports import accepts, free_port
from otelcol_runner.process import Process
from otelcol_runner.views import Span
from pytest_otelcol.sinks import OtlpSink
from starlette.types import ASGIApp, Message

from app import telemetry
from stack.paths import ROOT
from tests.support.service import FAST, inherited

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
CAPTURE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_"


@contextmanager
def traced(endpoint: str, env: Mapping[str, str]) -> Iterator[httpx.Client]:
    """Serve `tests/app/services/traced.py`; yields a client of it."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.app.services.traced:app", f"--port={port}"]
    variables = {**inherited(), **FAST, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **env}
    ready = functools.partial(accepts, port)
    with (
        Process("traced", command, env=variables, clean_env=True, ready=ready, cwd=ROOT),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def client(sink: OtlpSink) -> Iterator[httpx.Client]:
    env = {
        "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "/openapi.json$",
        f"{CAPTURE}SERVER_REQUEST": "x-.*",
        f"{CAPTURE}SERVER_RESPONSE": "content-type",
        f"{CAPTURE}SANITIZE_FIELDS": ".*secret.*",
    }
    with traced(sink.url, env) as client:
        yield client


def span_of(sink: OtlpSink, path: str) -> Span:
    """Wait for the SERVER span of a request to this path, and check that it is the only one."""
    found = sink.wait_for(
        lambda s: [span for span in s.spans if span.attributes.get("url.path") == path],
        f"a span of {path}",
    )
    assert [span.kind for span in found] == ["SERVER"]
    return found[0]


@pytest.mark.parametrize(
    ("method", "path", "name", "status", "error"),
    [
        ("GET", "/shop/items/7", "GET /shop/items/{item}", 200, None),
        ("GET", "/shop/items/x", "GET /shop/items/{item}", 422, None),
        ("PUT", "/shop/items/8", "PUT /shop/items/{item}", 405, None),
        ("BREW", "/shop/items/9", "HTTP /shop/items/{item}", 405, None),
        ("GET", "/sub/things/a", "GET /sub", 200, None),  # the library gives no more of a mount
        ("GET", "/docs", "GET /docs", 200, None),
        ("GET", "/no/such/path", "GET", 404, None),
        ("GET", "/away", "GET /away", 503, "503"),
        ("GET", "/broken", "GET /broken", 500, "500"),
        ("GET", "/stream", "GET /stream", 200, None),
    ],
)
def test_span_name_status_and_error_follow_the_route_and_response(
    client: httpx.Client, sink: OtlpSink, method: str, path: str, name: str, status: int, error: str
) -> None:
    assert client.request(method, path).status_code == status
    span = span_of(sink, path)
    found = span.attributes
    assert (span.name, found["http.response.status_code"]) == (name, status)
    assert found.get("http.route", "") == name.partition(" ")[2]
    assert found["http.request.method"] == (method if method != "BREW" else "_OTHER")
    assert (span.status, found.get("error.type")) == ("ERROR" if error else "UNSET", error)


def test_a_span_has_the_required_attributes_and_the_captured_headers(
    client: httpx.Client, sink: OtlpSink
) -> None:
    headers = {"x-tenant": "blue", "x-secret": "hush", "user-agent": "tester/1"}
    client.get("/shop/items/10", params={"q": "tea"}, headers=headers)
    attributes = span_of(sink, "/shop/items/10").attributes
    assert attributes == {
        "http.request.method": "GET",
        "http.route": "/shop/items/{item}",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "url.path": "/shop/items/10",
        "url.query": "q=tea",
        "network.protocol.version": "1.1",
        "server.address": f"127.0.0.1:{client.base_url.port}",  # the library adds the port
        "server.port": client.base_url.port,
        "client.address": "127.0.0.1",
        "client.port": attributes["client.port"],
        "user_agent.original": "tester/1",
        "http.request.header.x_tenant": ["blue"],
        "http.request.header.x_secret": ["[REDACTED]"],
        "http.response.header.content_type": ["application/json"],
    }


def test_each_request_is_one_server_span_also_where_fastapi_has_telemetry_of_its_own(
    client: httpx.Client, sink: OtlpSink
) -> None:
    paths = ["/shop/items/20", "/sub/things/20", "/no/such/path/20", "/shop/items/21"]
    for path in paths:
        client.get(path)
    span_of(sink, paths[-1])  # it was exported after all spans of the others
    asked = [span for span in sink.spans if span.attributes.get("url.path") in paths]
    assert Counter(span.attributes["url.path"] for span in asked) == dict.fromkeys(paths, 1)
    assert {(span.scope, span.resource["service.name"]) for span in asked} == {
        ("opentelemetry.instrumentation.fastapi", "traced")
    }


def test_a_span_continues_the_callers_trace_but_not_its_sampling(
    client: httpx.Client, sink: OtlpSink
) -> None:
    for item, sampled in ((11, "01"), (12, "00")):
        parent = {"traceparent": f"00-{TRACE}-{PARENT}-{sampled}"}
        client.get(f"/shop/items/{item}", headers=parent)
    client.get("/openapi.json")
    client.get("/shop/items/13")
    assert span_of(sink, "/shop/items/13").parent_span_id == ""
    for item in (11, 12):
        span = span_of(sink, f"/shop/items/{item}")
        assert (span.trace_id, span.parent_span_id) == (TRACE, PARENT)
    assert "/openapi.json" not in {span.attributes.get("url.path") for span in sink.spans}


def test_an_exception_is_a_span_event_with_its_stack_trace(
    client: httpx.Client, sink: OtlpSink
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/cut")
    span = span_of(sink, "/cut")
    event = span.events[0]  # the library records it where it is raised, and again where it leaves
    assert (span.status, span.status_message) == ("ERROR", "OSError: cut on purpose")
    assert event.attributes["exception.message"] == "cut on purpose"
    assert "in parts" in str(event.attributes["exception.stacktrace"])


def test_a_span_ends_with_the_response_not_with_background_tasks(
    client: httpx.Client, sink: OtlpSink
) -> None:
    assert client.get("/later").json() == "now"
    assert client.get("/stream", params={"again": 1}).text == "partpartpart"
    stream = sink.wait_for_span("GET /stream", {"url.query": "again=1"})
    later = span_of(sink, "/later")
    assert stream.end - stream.start >= 2 * 0.02e9
    assert later.end - later.start < 0.9e9


def test_a_websocket_connection_is_one_span(monkeypatch: pytest.MonkeyPatch) -> None:
    app, spans, provider = FastAPI(), InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(telemetry, "LIBRARIES", ())  # the tests' own clients stay as they are
    for name in telemetry.DEFAULTS:
        monkeypatch.setenv(name, "")

    @app.websocket("/rooms/{room}")
    async def join(socket: WebSocket, room: str) -> None:
        if room != "closed":
            await socket.accept()
            await socket.send_text(await socket.receive_text())
        await socket.close()

    telemetry.instrument(app)
    for room in ("open", "closed"):
        asyncio.run(converse(app, f"/rooms/{room}"))
    ended = spans.get_finished_spans()
    assert [span.name for span in ended] == ["HTTP /rooms/{room}"] * 2
    assert {span.kind.name for span in ended} == {"SERVER"}
    kept = ("url.scheme", "http.request.method", "http.response.status_code")
    found = [[(span.attributes or {}).get(name) for name in kept] for span in ended]
    assert found == [["ws", None, 200], ["ws", None, None]]


async def converse(app: ASGIApp, path: str) -> None:
    """Play a server with a client that sends one word; no server here supports WebSocket."""
    said = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}])

    async def receive() -> Message:
        return next(said)

    async def send(_: Message) -> None: ...

    scope = {"type": "websocket", "scheme": "ws", "path": path, "http_version": "1.1"}
    await app({**scope, "query_string": b"", "headers": []}, receive, send)
