import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from pytest_otelcol.polling import poll_until
from pytest_otelcol.ports import free_port
from pytest_otelcol.sinks import OtlpSink

from tests.guard.conftest import StartGuard

PROTOBUF = {"content-type": "application/x-protobuf", "authorization": "Bearer a-token"}


def send(url: str, body: bytes = b"") -> httpx.Response:
    return httpx.post(f"{url}/v1/traces", content=body, headers=PROTOBUF, timeout=10)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_answer_that_would_delete_the_backlog_becomes_try_again(
    start_guard: StartGuard, status: int
) -> None:
    with OtlpSink() as logfire:
        guard = start_guard(GUARD_UPSTREAM=f"127.0.0.1:{logfire.port}")
        logfire.refuse(status)

        answer = send(guard.url)

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.headers["x-guard-upstream-status"] == str(status)
        poll_until(
            lambda: "guard: /v1/traces 503 the upstream" in guard.output(), "the guard's line"
        )


@pytest.mark.parametrize("status", [400, 404, 413, 429, 503])
def test_every_other_answer_passes_as_it_is(start_guard: StartGuard, status: int) -> None:
    with OtlpSink() as logfire:
        guard = start_guard(GUARD_UPSTREAM=f"127.0.0.1:{logfire.port}")
        logfire.refuse(status)

        answer = send(guard.url)

        assert answer.status_code == status
        assert "x-guard-upstream-status" not in answer.headers


def test_large_requests_arrive_whole_with_their_token(start_guard: StartGuard) -> None:
    with OtlpSink() as logfire:
        guard = start_guard(GUARD_UPSTREAM=f"127.0.0.1:{logfire.port}")
        logfire.refuse(401)  # the body is no OTLP: only its way matters

        assert send(guard.url, b"x" * 20_000_000).status_code == 503

        (request,) = logfire.requests
        assert request.size == 20_000_000
        assert request.headers["authorization"] == "Bearer a-token"
        assert "Bearer" not in guard.output()


def test_without_an_upstream_it_sends_to_the_stand_in(start_guard: StartGuard) -> None:
    with OtlpSink() as stand_in:
        guard = start_guard(GUARD_UPSTREAM="", GUARD_STAND_IN=f"127.0.0.1:{stand_in.port}")

        assert send(guard.url).status_code == 200


def test_it_starts_before_its_upstream_and_finds_it_later(start_guard: StartGuard) -> None:
    port = free_port()
    guard = start_guard(GUARD_UPSTREAM=f"127.0.0.1:{port}")
    assert send(guard.url).status_code == 503

    with OtlpSink(port=port):
        poll_until(lambda: send(guard.url).status_code == 200, "the upstream through the guard")


def test_an_unknown_name_is_try_again_and_does_not_end_it(start_guard: StartGuard) -> None:
    guard = start_guard(GUARD_UPSTREAM="logfire.invalid:4320")

    assert send(guard.url).status_code == 503
    assert guard.running


def test_it_speaks_tls_to_whom_it_trusts_and_names_the_host(
    start_guard: StartGuard, tmp_path: Path
) -> None:
    with tls_server(tmp_path, "localhost") as (port, hosts):
        upstream = {"GUARD_UPSTREAM": f"localhost:{port}", "GUARD_TLS": "on"}
        trusting = start_guard(**upstream, GUARD_CA_FILE=str(tmp_path / "cert.pem"))
        suspicious = start_guard(**upstream)

        assert send(trusting.url).status_code == 200
        assert hosts == ["localhost"]
        assert send(suspicious.url).status_code == 503


def test_a_certificate_for_another_host_is_refused(start_guard: StartGuard, tmp_path: Path) -> None:
    with tls_server(tmp_path, "elsewhere.invalid") as (port, hosts):
        guard = start_guard(
            GUARD_UPSTREAM=f"localhost:{port}",
            GUARD_TLS="on",
            GUARD_CA_FILE=str(tmp_path / "cert.pem"),
        )

        assert send(guard.url).status_code == 503
        assert hosts == []


@contextmanager
def tls_server(folder: Path, name: str) -> Iterator[tuple[int, list[str]]]:
    """Serve 200 to every POST under a certificate for `name`; yields port and Host headers."""
    hosts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hosts.append(self.headers["host"])
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    class Server(HTTPServer):
        def handle_error(self, *_: object) -> None: ...

    with Server(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(folder, name))
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port, hosts
        server.shutdown()
        thread.join()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a self-signed certificate and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "1"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key
