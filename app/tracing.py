"""The SERVER span of a request, in the stable HTTP semantic conventions of OpenTelemetry.

In place of `opentelemetry-instrumentation-fastapi`, which matches each route a second time, sets
each attribute twice, and feeds request metrics that the collector makes from these very spans:
`make bench` tells the difference. What the attributes mean:
https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
"""

import time
from collections.abc import Callable
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from starlette.routing import Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.headers import Capture, FromHeaders

METHODS = frozenset(
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"]
)
STATUS_OF: dict[str, Callable[[Message], int]] = {
    "http.response.start": lambda message: message["status"],
    "websocket.http.response.start": lambda message: message["status"],
    "websocket.accept": lambda _: 101,
    "websocket.close": lambda _: 403,  # where it was not accepted before
}
FROM_HEADERS = FromHeaders()


class Tracing:
    """Makes a SERVER span of each request and of each WebSocket connection.

    Each begins outside of any trace, so that only its headers name its parent: asyncio resumes
    reading a connection in the context of whoever asks for it. A server does so inside the
    request that has a large body, and the connection's next requests would become parts of that
    request's trace.
    """

    def __init__(self, app: ASGIApp, router: Router) -> None:
        self.app = app
        self.router = router
        self.capture = Capture()
        self.tracer = trace.get_tracer(f"{__name__}.fastapi")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "lifespan" or self.capture.excludes(scope):
            await self.app(scope, receive, send)
            return
        scope["fastapi.telemetry"] = None  # or a mounted FastAPI traces the request once more
        parent = propagate.extract(scope["headers"], Context(), FROM_HEADERS)
        served = Served(self, scope, send, parent)
        token = context.attach(trace.set_span_in_context(served.span, parent))
        try:
            await self.app(scope, receive, served.send)
        except BaseException as error:
            served.fail(error)
            raise
        finally:
            served.end()
            context.detach(token)


class Served:
    """A request under way."""

    def __init__(self, tracing: Tracing, scope: Scope, send: Send, parent: Context) -> None:
        self._tracing, self._scope, self._send = tracing, scope, send
        self._root_path = scope.get("root_path", "")
        self._status = 0
        self._error: BaseException | None = None
        self._answered_at: int | None = None
        attributes = attributes_of(scope)
        method = attributes["http.request.method"]
        self._method = "HTTP" if method == "_OTHER" else method
        self.span = tracing.tracer.start_span(self._method, parent, SpanKind.SERVER, attributes)
        if tracing.capture.request:
            self.span.set_attributes(tracing.capture.of_request(scope["headers"]))

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on; with its last part the span ends."""
        kind = message["type"]
        if kind in STATUS_OF and not self._status:
            self._status = STATUS_OF[kind](message)
            if self._tracing.capture.response:
                headers = message.get("headers", ())
                self.span.set_attributes(self._tracing.capture.of_response(headers))
        await self._send(message)
        if kind == "http.response.body" and not message.get("more_body"):
            self._answered_at = time.time_ns()
            if self._status < 500:  # else the exception is still to come
                self.end()

    def fail(self, error: BaseException) -> None:
        """Note what came in place of an answer, or after one with status 500."""
        self._error = error
        if self.span.is_recording() and isinstance(error, Exception):
            self.span.record_exception(error)

    def end(self) -> None:
        """End the span, unless it has ended."""
        if not self.span.is_recording():
            return
        ended: dict[str, str | int] = {}
        if route := route_of(self._scope, self._root_path, self._tracing.router):
            ended["http.route"] = route
            self.span.update_name(f"{self._method} {route}")
        if self._status:
            ended["http.response.status_code"] = self._status
        if self._status >= 500 or self._error is not None:
            ended["error.type"] = self._failed()
        self.span.set_attributes(ended)
        self.span.end(self._answered_at)

    def _failed(self) -> str:
        """Set the span's status, and return the type of the error."""
        if self._error is None:
            self.span.set_status(StatusCode.ERROR)
            return str(self._status)
        kind = type(self._error).__qualname__
        self.span.set_status(StatusCode.ERROR, f"{kind}: {self._error}")
        return kind


def attributes_of(scope: Scope) -> dict[str, Any]:
    """Return what is known of a request before it is served."""
    method = scope.get("method", "GET")  # a WebSocket begins with one
    attributes = {
        "http.request.method": method,
        "url.scheme": scope["scheme"],
        "url.path": scope["path"],
        "network.protocol.version": scope["http_version"],
    }
    if method not in METHODS:
        attributes["http.request.method"] = "_OTHER"
        attributes["http.request.method_original"] = method
    if query := scope["query_string"]:
        attributes["url.query"] = query.decode("latin-1")
    if server := scope.get("server"):
        attributes["server.address"] = server[0]
        if server[1] is not None:  # a Unix socket has none
            attributes["server.port"] = server[1]
    if client := scope.get("client"):
        attributes["client.address"] = client[0]
    for name, value in scope["headers"]:
        if name == b"user-agent":
            attributes["user_agent.original"] = value.decode("latin-1")
    return attributes


def route_of(scope: Scope, root_path: str, router: Router) -> str | None:
    """Return the template of the path, as FastAPI found it, or that of a mounted application."""
    if scope.get("root_path", "") == root_path:
        found = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
        if path := getattr(found, "path_format", None):
            return str(path)
    # FastAPI tells nothing of routes that are Starlette's, as its own `/docs`.
    as_it_came = {**scope, "root_path": root_path}
    matching = (route for route in router.routes if route.matches(as_it_came)[0] is Match.FULL)
    return getattr(next(matching, None), "path", None)
