"""An HTTP server that records requests, and can be slow, refuse or go away on demand."""

import contextlib
import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self, TypeVar

from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port

from pytest_otelcol import activity

Found = TypeVar("Found")
Response = tuple[int, Mapping[str, str], bytes]  # status, headers, body


@dataclass(frozen=True)
class Request:
    """One POST: path, headers (names in lower case), size of the body, status of the response."""

    path: str
    headers: Mapping[str, str]
    size: int
    status: int


@dataclass(frozen=True)
class Refusal:
    """Which requests are refused, with which status and `Retry-After` (seconds)."""

    status: int
    retry_after: int | None = None
    containing: bytes = b""
    unless: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}

    def applies_to(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Return whether a request is refused."""
        if self.unless and self.unless.items() <= headers.items():
            return False
        encoding = headers.get("content-encoding", "")
        return not self.containing or self.containing in decompressed(body, encoding)


class RecordingServer:
    """A threaded server on loopback and a context manager; subclasses decode the bodies.

    Args:
        name: its name in error messages.
        port: the port to listen on; a free one by default.
    """

    def __init__(self, name: str, port: int | None = None) -> None:
        self.name = name
        self.port = port or free_port()
        self.requests: list[Request] = []
        self.raw: list[bytes] | None = None
        self._lock = threading.Lock()
        self._refusal: Refusal | None = None
        self._delay = 0.0
        self._wake = threading.Event()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; after `stop`, on the same port as before."""
        self._wake.clear()
        activity.register(self)
        self._server = _Server(self.port, self._respond)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Go away like a crashed backend: open connections are cut.

        A response in progress is finished first: a request that was kept and not answered would be
        sent again, and be kept twice.
        """
        if self._server is not None:
            self._wake.set()
            self._server.shutdown()
            self._server.finish_answers()
            self._server.cut()
            self._server.server_close()
            self._server = None

    def refuse(
        self,
        status: int = 503,
        *,
        retry_after: int | None = None,
        containing: bytes = b"",
        unless: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with this HTTP status, and keep only the headers of a request.

        Args:
            status: the HTTP status.
            retry_after: seconds, sent as the `Retry-After` header.
            containing: refuse only bodies that contain these bytes after decompression.
            unless: accept requests with all these headers; names in lower case.
        """
        self._refusal = Refusal(status, retry_after, containing, unless or {})

    def slow(self, seconds: float) -> None:
        """Delay every response by this time; `stop` ends the wait."""
        self._delay = seconds

    def accept(self) -> None:
        """Undo `refuse` and `slow`: accept everything, at once."""
        self._refusal, self._delay = None, 0.0

    def keep_raw(self) -> None:
        """From now on keep every accepted body, decompressed, in `raw`."""
        self.raw = []

    def clear(self) -> None:
        """Forget everything received so far."""
        with self._lock:
            self.requests.clear()
            self._forget()

    def describe(self) -> str:
        """Return what was received as text."""
        raise NotImplementedError

    def wait_for(
        self, check: Callable[[Self], Found | None], what: str, *, timeout: float = 10.0
    ) -> Found:
        """Call `check(sink)` until it is truthy; the error lists everything received instead."""
        return poll_until(
            lambda: check(self), f"{self.name}: {what}", timeout=timeout, seen=self.describe
        )

    def _respond(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        self._wake.wait(self._delay)
        refusal = self._refusal
        if refusal and refusal.applies_to(headers, body):
            answer: Response = (refusal.status, refusal.headers, b"")
        else:
            status, text = self._decode(path, headers, body)
            answer = (status, {}, text)
        with self._lock:
            self.requests.append(Request(path, headers, len(body), answer[0]))
        return answer

    def _keep_raw(self, body: bytes) -> bytes:
        if self.raw is not None:
            self.raw.append(body)
        return body

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Decode and keep a request; return the HTTP status and the body of the response."""
        raise NotImplementedError

    def _forget(self) -> None:
        """Drop decoded items; called with the lock held."""
        raise NotImplementedError


def decompressed(body: bytes, encoding: str) -> bytes:
    """Undo the content encodings of OTLP/HTTP; raises `ValueError` for any other."""
    match encoding:
        case "" | "identity":
            return body
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
    raise ValueError(f"content encoding {encoding!r} is not supported")


Respond = Callable[[str, Mapping[str, str], bytes], Response]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, respond: Respond) -> None:
        self.respond = respond
        self._connections: set[socket.socket] = set()
        self._answering = 0
        self._answered = threading.Condition()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: object) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet: clients may disconnect at any time."""

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        with self._answered:
            self._answering += 1
        try:
            yield
        finally:
            with self._answered:
                self._answering -= 1
                self._answered.notify()

    def finish_answers(self) -> None:
        with self._answered:
            self._answered.wait_for(lambda: not self._answering, timeout=1.0)

    def cut(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.server.answering():
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, more, answer = self.server.respond(self.path, headers, body)
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("content-type", headers.get("content-type", "application/x-protobuf"))
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Stay quiet: the requests are in `requests`."""
