"""Damaged requests and damaged answers of a backend: an error of HTTP, and no traceback."""

import gzip
import http.client
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port

from stack.services.view import View
from tests.view.witness import Witness

QUERY = "/api/prometheus/api/v1/query"
PART = b'{"status":"success",'
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MOVED = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: http://%s/elsewhere\r\n\r\n"


class Damaged(socketserver.ThreadingTCPServer):
    """A backend that answers every request with the same bytes, and closes the connection."""

    def __init__(self) -> None:
        self.answer = b""
        super().__init__(("127.0.0.1", 0), Answer)
        self.place = f"127.0.0.1:{self.server_address[1]}"


class Answer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        assert isinstance(self.server, Damaged)
        self.wfile.write(self.server.answer)


@pytest.fixture(scope="module")
def backend() -> Iterator[Damaged]:
    with Damaged() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def view(backend: Damaged, files: Path) -> Iterator[View]:
    with View(free_port(), files, {"PROMETHEUS_URL": f"http://{backend.place}"}) as running:
        yield running


def asked(view: View, target: bytes, **headers: bytes) -> tuple[int, bytes]:
    """Send a target and headers as they are, which clients of a higher level would not."""
    connection = http.client.HTTPConnection(view.url.removeprefix("http://"), timeout=10)
    connection._encode_request = lambda request: request.encode("latin-1")  # type: ignore[attr-defined]
    connection._validate_path = lambda path: None  # type: ignore[attr-defined]
    try:
        connection.putrequest("GET", target.decode("latin-1"))
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (b"query=" + b"a" * 65_536, {}),
        (b"query=a#b", {}),
        (b"query=1", {"accept": "text/\u00e9".encode()}),
        (b"query=1", {"content_type": b"text/\xff"}),
    ],
    ids=["long", "fragment", "accept", "content type"],
)
def test_a_request_that_cannot_be_passed_on_is_one_sentence(
    view: View, query: bytes, headers: dict[str, bytes]
) -> None:
    status, body = asked(view, QUERY.encode() + b"?" + query, **headers)
    assert (status, b"this request cannot be passed on: " in body) == (400, True), body
    assert "Traceback" not in view.output()


@pytest.mark.parametrize(
    ("damaged", "status", "body"),
    [
        (b"", 502, b"does not answer: "),
        (b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n", 502, b"its status is 999"),
        (OK + b"content-length: 99\r\n\r\n" + PART, 200, PART),
        (OK + b"transfer-encoding: chunked\r\n\r\n14\r\n" + PART + b"\r\n", 200, PART),
        (OK + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nnone", 200, b""),
        (
            OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(PART, mtime=0)[:-12] + b"\0" * 9,
            200,
            b"",
        ),
    ],
    ids=["closed", "status", "length", "chunks", "no gzip", "broken gzip"],
)
def test_a_damaged_answer_ends_without_a_traceback(
    view: View, backend: Damaged, damaged: bytes, status: int, body: bytes
) -> None:
    backend.answer = damaged
    before = view.output()
    found = asked(view, QUERY.encode() + b"?query=1")
    assert (found[0], body in found[1]) == (status, True), found
    if status == httpx.codes.OK:
        said = poll_until(lambda: reported(view, before), "a line of the log")
        assert said.count("\n") == 1, said
    assert "Traceback" not in view.output()


def reported(view: View, before: str) -> str:
    said = view.output().removeprefix(before)
    assert said.startswith("an answer is cut off: "), said
    return said


def test_a_redirect_of_a_backend_is_not_followed(view: View, backend: Damaged) -> None:
    with Witness() as elsewhere:
        backend.answer = MOVED % elsewhere.place.encode()
        status, body = asked(view, QUERY.encode() + b"?query=1")
        assert (status, body) == (302, b"")
        assert elsewhere.asked == []
