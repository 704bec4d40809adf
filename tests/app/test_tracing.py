"""The SERVER span of every kind of request, from a service on a real server."""

import asyncio
import functools
import sys
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otelcol_runner.ports import accepts, free_port
from otelcol_runner.process import Process
from otelcol_runner.views import Span
from pytest_otelcol.sinks import OtlpSink
from starlette.types import ASGIApp, Message

from app.tracing import Tracing
from stack.paths import ROOT
from tests.support.service import FAST, inherited

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
CAPTURE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_"


@pytest.fixture(scope="module")
def client(sink: OtlpSink) -> Iterator[httpx.Client]:
    port = free_port()
    env = {
        **inherited(),
        **FAST,
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "/openapi.json$",
        f"{CAPTURE}SERVER_REQUEST": "x-.*",
        f"{CAPTURE}SERVER_RESPONSE": "content-type",
        f"{CAPTURE}SANITIZE_FIELDS": ".*secret.*",
    }
    command = [sys.executable, "-m", "uvicorn", "tests.app.services.traced:app", f"--port={port}"]
    ready = functools.partial(accepts, port)
    with (
        Process("traced", command, env=env, clean_env=True, ready=ready, cwd=ROOT),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):
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
        ("GET", "/sub/things/a", "GET /sub", 200, None),
        ("GET", "/docs", "GET /docs", 200, None),
        ("GET", "/no/such/path", "GET", 404, None),
        ("GET", "/away", "GET /away", 503, "503"),
        ("GET", "/broken", "GET /broken", 500, "ValueError"),
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
    assert span_of(sink, "/shop/items/10").attributes == {
        "http.request.method": "GET",
        "http.route": "/shop/items/{item}",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "url.path": "/shop/items/10",
        "url.query": "q=tea",
        "network.protocol.version": "1.1",
        "server.address": "127.0.0.1",
        "server.port": client.base_url.port,
        "client.address": "127.0.0.1",
        "user_agent.original": "tester/1",
        "http.request.header.x_tenant": ["blue"],
        "http.request.header.x_secret": ["[REDACTED]"],
        "http.response.header.content_type": ["application/json"],
    }


def test_a_span_continues_the_callers_trace_and_its_sampling(
    client: httpx.Client, sink: OtlpSink
) -> None:
    for item, sampled in ((11, "01"), (12, "00")):
        parent = {"traceparent": f"00-{TRACE}-{PARENT}-{sampled}"}
        client.get(f"/shop/items/{item}", headers=parent)
    client.get("/openapi.json")
    client.get("/shop/items/13")
    assert span_of(sink, "/shop/items/13").parent_span_id == ""
    span = span_of(sink, "/shop/items/11")
    assert (span.trace_id, span.parent_span_id) == (TRACE, PARENT)
    unsampled_or_excluded = {"/shop/items/12", "/openapi.json"}
    assert not unsampled_or_excluded & {span.attributes.get("url.path") for span in sink.spans}


def test_an_exception_is_a_span_event_with_its_stack_trace(
    client: httpx.Client, sink: OtlpSink
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/cut")
    span = span_of(sink, "/cut")
    (event,) = span.events
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


def test_a_websocket_connection_is_one_span() -> None:
    app, spans, provider = FastAPI(), InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    @app.websocket("/rooms/{room}")
    async def join(socket: WebSocket, room: str) -> None:
        if room != "closed":
            await socket.accept()
            await socket.send_text(await socket.receive_text())
        await socket.close()

    tracing = Tracing(app, app.router)
    tracing.tracer = provider.get_tracer("test")
    for room in ("open", "closed"):
        asyncio.run(converse(tracing, f"/rooms/{room}"))
    ended = spans.get_finished_spans()
    assert [span.name for span in ended] == ["GET /rooms/{room}"] * 2
    statuses = [(span.attributes or {})["http.response.status_code"] for span in ended]
    assert (statuses, {span.kind.name for span in ended}) == ([101, 403], {"SERVER"})


async def converse(app: ASGIApp, path: str) -> None:
    """Play a server with a client that sends one word; no server here supports WebSocket."""
    said = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}])

    async def receive() -> Message:
        return next(said)

    async def send(_: Message) -> None: ...

    scope = {"type": "websocket", "scheme": "ws", "path": path, "http_version": "1.1"}
    await app({**scope, "query_string": b"", "headers": []}, receive, send)
