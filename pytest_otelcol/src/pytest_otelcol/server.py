"""The HTTP side of a sink."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pytest_otelcol.recorder import Recorder, Refusal, Response

Respond = Callable[[str, Mapping[str, str], bytes], Response]


class RecordingServer(Recorder):
    """A threaded HTTP server; subclasses decode the bodies."""

    _server: "_Server | None" = None

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

    def _listen(self) -> None:
        self._server = _Server(self.port, self._respond)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.finish_answers()
            self._server.cut()
            self._server.server_close()
            self._server = None


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
