"""Backends with scripted responses, and the responses worth testing."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.server import RecordingServer, _Handler
from pytest_otelcol.sinks import OtlpSink

ONE_REJECTED = ExportLogsServiceResponse(
    partial_success=ExportLogsPartialSuccess(rejected_log_records=1, error_message="too old")
).SerializeToString()
LOGIN = "https://login"  # placeholder for a page of the backend itself that answers 200


@dataclass(frozen=True)
class Answer:
    """What a backend does with a request; with a status it stores nothing, or everything."""

    name: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    keeps: bool = False


OK = Answer("200")
REFUSED = Answer("connection refused")
CUT = Answer("connection cut in the middle of the answer")
SILENT = Answer("no answer until the timeout")
PARTIAL = Answer("200, but rejects records (partial success)", 200, body=ONE_REJECTED)
SHORT = Answer("200, cut in the middle of its body", 200, body=ONE_REJECTED[:-1], keeps=True)
ANSWERS = (
    OK,
    PARTIAL,
    SHORT,
    Answer("302 to a page that answers 200", 302, {"location": LOGIN}),
    *(Answer(str(status), status) for status in (400, 401, 403, 404, 408, 409, 413, 422, 429)),
    Answer("429 with Retry-After", 429, {"retry-after": "1"}),
    *(Answer(str(status), status) for status in (500, 501, 502, 503)),
    Answer("503 with Retry-After", 503, {"retry-after": "1"}),
    *(Answer(str(status), status) for status in (504, 520)),
    REFUSED,
    CUT,
    SILENT,
)


class Backend(RecordingServer):
    """Mixed into a sink: gives a scripted response until it recovers."""

    answer = OK

    def start(self) -> None:
        """Listen; every connection gets the scripted response."""
        self.recovered = threading.Event()
        super().start()
        if self._server is not None:
            self._server.RequestHandlerClass = type(
                "Handler", (ScriptedHandler,), {"backend": self}
            )

    def has(self, item: str) -> bool:
        """Tell whether it stored the item with this text."""
        raise NotImplementedError

    def answer_with(self, answer: Answer) -> None:
        """Give this response from now on."""
        self.answer = answer
        if answer is REFUSED:
            self.stop()

    def recover(self) -> None:
        """Accept again; requests still pending end without a response."""
        was, self.answer = self.answer, OK
        self.recovered.set()
        if was is REFUSED:
            self.start()
        self.recovered.clear()


class ScriptedHandler(_Handler):
    """Gives the backend's scripted response."""

    backend: Backend

    def do_POST(self) -> None:  # noqa: N802 - the base's name
        answer = self.backend.answer
        if answer is OK:
            super().do_POST()
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if answer.keeps:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.respond(self.path, headers, body)
        self.close_connection = answer in (CUT, SHORT, SILENT)
        if answer is SILENT:
            self.backend.recovered.wait(60)
        elif answer is CUT:
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-")
        else:
            self.give(answer)

    def do_GET(self) -> None:  # noqa: N802
        self.give(Answer("a page", 200, {"content-type": "text/html"}, b"Please log in."))

    def give(self, answer: Answer) -> None:
        self.send_response(answer.status)
        here = f"{self.backend.url}/login"
        for name, value in {"content-type": "application/x-protobuf", **answer.headers}.items():
            self.send_header(name, here if value == LOGIN else value)
        self.send_header("content-length", str(len(answer.body) + (answer is SHORT)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(answer.body)


class Logs(Backend, OtlpSink):
    """Takes OTLP."""

    def has(self, item: str) -> bool:
        """Tell whether it stored the log record with this text."""
        return any(log.body == item for log in self.logs)


class Metrics(Backend, RemoteWriteSink):
    """Takes remote write."""

    def has(self, item: str) -> bool:
        """Tell whether it stored the sample with this text."""
        return bool(self.series("answers", {"item": item}))
