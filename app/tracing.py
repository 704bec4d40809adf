"""The SERVER span of a request, by OpenTelemetry's stable HTTP semantic conventions.

Replaces `opentelemetry-instrumentation-fastapi`, which matches each route a second time, sets each
attribute twice, and records request metrics that the collector already derives from these spans:
`make bench` measures the difference. The attributes:
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

from app.headers import HeaderCapture, ScopeHeadersGetter

METHODS = frozenset(
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"]
)
STATUS_OF: dict[str, Callable[[Message], int]] = {
    "http.response.start": lambda message: message["status"],
    "websocket.http.response.start": lambda message: message["status"],
    "websocket.accept": lambda _: 101,
    "websocket.close": lambda _: 403,  # unless it was accepted before
}
HEADERS_GETTER = ScopeHeadersGetter()


class Tracing:
    """ASGI middleware: a SERVER span for each request and each WebSocket connection.

    Its parent comes from the headers only, never from the current context: asyncio resumes reading
    a connection in the context that asked for it. For a large body that is the request's own
    context, and the connection's next requests would join that request's trace.
    """

    def __init__(self, app: ASGIApp, router: Router) -> None:
        self.app = app
        self.router = router
        self.capture = HeaderCapture()
        self.tracer = trace.get_tracer(f"{__name__}.fastapi")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self.capture.excludes(scope):
            await self.app(scope, receive, send)
            return
        scope["fastapi.telemetry"] = None  # else a mounted FastAPI would trace the request again
        parent = propagate.extract(scope["headers"], Context(), HEADERS_GETTER)
        request = TracedRequest(self, scope, send, parent)
        token = context.attach(trace.set_span_in_context(request.span, parent))
        try:
            await self.app(scope, receive, request.send)
        except BaseException as error:
            request.fail(error)
            raise
        finally:
            request.end()
            context.detach(token)


class TracedRequest:
    """A request in progress, with its span."""

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
        """Send a part of the response; the span ends with the last one."""
        kind = message["type"]
        if kind in STATUS_OF and not self._status:
            self._status = STATUS_OF[kind](message)
            if self._tracing.capture.response:
                headers = message.get("headers", ())
                self.span.set_attributes(self._tracing.capture.of_response(headers))
        await self._send(message)
        if kind == "http.response.body" and not message.get("more_body"):
            self._answered_at = time.time_ns()
            if self._status < 500:  # else the exception is still to be raised
                self.end()

    def fail(self, error: BaseException) -> None:
        """Record the exception that replaced the response, or followed one with status 500."""
        self._error = error
        if self.span.is_recording() and isinstance(error, Exception):
            self.span.record_exception(error)

    def end(self) -> None:
        """End the span, unless it has already ended."""
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
    """Return the attributes that are known before the request is handled."""
    method = scope.get("method", "GET")  # a WebSocket starts as one
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
    """Return the path template that FastAPI matched, or the one of a mounted application."""
    if scope.get("root_path", "") == root_path:
        found = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
        if path := getattr(found, "path_format", None):
            return str(path)
    # FastAPI does not expose the match of a plain Starlette route, such as its own `/docs`.
    original = {**scope, "root_path": root_path}
    matching = (route for route in router.routes if route.matches(original)[0] is Match.FULL)
    return getattr(next(matching, None), "path", None)
