import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from pytest_otelcol.sinks import OtlpSink

from stack.services.guard import Guard
from tests.guard.conftest import StartGuard
from tests.support.proxy import RecordingProxy

PROTOBUF = {"content-type": "application/x-protobuf", "authorization": "Bearer a-token"}


def send(url: str, body: bytes = b"", path: str = "/v1/traces") -> httpx.Response:
    return httpx.post(f"{url}{path}", content=body, headers=PROTOBUF, timeout=10)


def entrance(guard: Guard, signal: str) -> str:
    return guard.metrics_url if signal == "metrics" else guard.url


def both(sink: OtlpSink) -> dict[str, str]:
    """The sink as the backend of every signal."""
    upstream = f"127.0.0.1:{sink.port}"
    return {"GUARD_UPSTREAM": upstream, "GUARD_METRICS_UPSTREAM": upstream}


@pytest.mark.parametrize(
    ("status", "becomes"),
    [(401, 502), (403, 502)] + [(other, 503) for other in (302, 404, 408, 421, 500, 501, 502, 520)],
)
@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_a_permanent_error_becomes_503_and_a_refused_token_502(
    start_guard: StartGuard, otlp_sink: OtlpSink, signal: str, status: int, becomes: int
) -> None:
    guard = start_guard(**both(otlp_sink), GUARD_RETRY_AFTER="7")
    otlp_sink.refuse(status)

    answer = send(entrance(guard, signal), path=f"/v1/{signal}")

    assert answer.status_code == becomes
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-guard-upstream-status"] == str(status)
    said = f"guard: /v1/{signal} {becomes} the upstream answered {status}"
    poll_until(lambda: said in guard.output(), "the guard's line", seen=guard.output)


@pytest.mark.parametrize("signal", ["traces", "metrics"])
@pytest.mark.parametrize("status", [400, 409, 413, 422, 503, 504])
def test_errors_about_the_batch_and_retryable_ones_pass_unchanged(
    start_guard: StartGuard, otlp_sink: OtlpSink, signal: str, status: int
) -> None:
    guard = start_guard(**both(otlp_sink))
    otlp_sink.refuse(status)

    answer = send(entrance(guard, signal))

    assert answer.status_code == status
    assert "x-guard-upstream-status" not in answer.headers
    assert "guard:" not in guard.output()


def test_429_passes_only_to_the_exporter_that_retries_it(
    start_guard: StartGuard, otlp_sink: OtlpSink
) -> None:
    guard = start_guard(**both(otlp_sink))
    otlp_sink.refuse(429)

    assert send(guard.url).status_code == 429
    assert send(guard.metrics_url).status_code == 503


@pytest.mark.parametrize(
    ("signal", "step"),
    [
        ("traces", "check LOGFIRE_TOKEN"),
        ("metrics", "check PROMETHEUS_AUTHORIZATION or the variable of its overlay"),
    ],
)
def test_a_refused_token_is_logged_with_the_remedy_and_without_the_token(
    start_guard: StartGuard, otlp_sink: OtlpSink, signal: str, step: str
) -> None:
    guard = start_guard(**both(otlp_sink))
    otlp_sink.refuse(401)

    send(entrance(guard, signal), path="/v1/traces?key=in-the-url")

    said = f'the upstream answered 401: {step}"'
    poll_until(lambda: said in guard.output(), said, seen=guard.output)
    assert otlp_sink.requests[0].headers["authorization"] == "Bearer a-token"
    assert "a-token" not in guard.output()
    assert "in-the-url" not in guard.output()


def test_a_backend_timeout_is_retryable(start_guard: StartGuard, otlp_sink: OtlpSink) -> None:
    guard = start_guard(**both(otlp_sink), GUARD_TIMEOUT="200ms")
    otlp_sink.slow(30)

    assert send(guard.url).status_code == send(guard.metrics_url).status_code == 504


@pytest.mark.parametrize("answer", ["", "HTTP/1.1 200 OK\r\ncontent-", "no HTTP at all\r\n\r\n"])
def test_a_truncated_response_is_retryable(start_guard: StartGuard, answer: str) -> None:
    with serving(breaking_off(answer.encode())) as port:
        guard = start_guard(GUARD_UPSTREAM=f"127.0.0.1:{port}")

        assert send(guard.url).status_code == 503


@pytest.mark.parametrize("length", ["content-length: 9", "transfer-encoding: chunked"])
def test_a_truncated_body_stays_truncated(start_guard: StartGuard, length: str) -> None:
    with serving(breaking_off(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n5\r\nbegun".encode())) as port:
        guard = start_guard(GUARD_UPSTREAM=f"127.0.0.1:{port}")

        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            send(guard.url)


@contextmanager
def serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    """Serve every connection to a free port; yields the port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def breaking_off(answer: bytes) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(answer)

    return Handler


def test_large_requests_arrive_whole_with_their_token(start_guard: StartGuard) -> None:
    with OtlpSink() as logfire:
        guard = start_guard(GUARD_UPSTREAM=f"127.0.0.1:{logfire.port}")
        logfire.refuse(401)  # the body is not OTLP: only its transfer matters

        assert send(guard.url, b"x" * 20_000_000).status_code == 502

        (request,) = logfire.requests
        assert request.size == 20_000_000
        assert request.headers["authorization"] == "Bearer a-token"
        assert not [name for name in request.headers if name.startswith("x-forwarded")]
        assert "Bearer" not in guard.output()


def test_without_an_upstream_it_sends_to_the_stand_in(start_guard: StartGuard) -> None:
    with OtlpSink() as stand_in:
        guard = start_guard(GUARD_UPSTREAM="", GUARD_STAND_IN=f"127.0.0.1:{stand_in.port}")

        assert send(guard.url).status_code == 200


def test_with_an_upstream_it_never_sends_to_the_stand_in(start_guard: StartGuard) -> None:
    with OtlpSink() as stand_in:
        guard = start_guard(
            GUARD_UPSTREAM=f"127.0.0.1:{free_port()}", GUARD_STAND_IN=f"127.0.0.1:{stand_in.port}"
        )

        assert send(guard.url).status_code == 503
        assert stand_in.requests == []


def test_it_starts_before_its_upstream_and_finds_it_later(start_guard: StartGuard) -> None:
    port = free_port()
    guard = start_guard(GUARD_UPSTREAM=f"127.0.0.1:{port}")
    assert send(guard.url).status_code == 503

    with OtlpSink(port=port):
        poll_until(lambda: send(guard.url).status_code == 200, "the upstream through the guard")


def test_an_unresolvable_upstream_is_retryable(start_guard: StartGuard) -> None:
    guard = start_guard(GUARD_UPSTREAM="logfire.invalid:4320")

    assert send(guard.url).status_code == 503
    assert guard.running


def test_it_verifies_tls_and_sends_the_host_name(start_guard: StartGuard, tmp_path: Path) -> None:
    with tls_server(tmp_path, "localhost") as (port, hosts):
        upstream = dict.fromkeys(["GUARD_UPSTREAM", "GUARD_METRICS_UPSTREAM"], f"localhost:{port}")
        upstream |= {"GUARD_TLS": "on", "GUARD_METRICS_TLS": "on"}
        trusting = start_guard(**upstream, GUARD_TRUST=f"file {tmp_path / 'cert.pem'}")
        suspicious = start_guard(**upstream)

        for way in ("url", "metrics_url"):
            assert send(getattr(trusting, way)).status_code == 200
            assert send(getattr(suspicious, way)).status_code == 503
        assert hosts == ["localhost", "localhost"]


def test_a_certificate_for_another_host_is_refused(start_guard: StartGuard, tmp_path: Path) -> None:
    with tls_server(tmp_path, "elsewhere.invalid") as (port, hosts):
        guard = start_guard(
            GUARD_UPSTREAM=f"localhost:{port}",
            GUARD_TLS="on",
            GUARD_TRUST=f"file {tmp_path / 'cert.pem'}",
        )

        assert send(guard.url).status_code == 503
        assert hosts == []


def test_a_proxy_is_used_except_for_loopback(
    start_guard: StartGuard, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    with (
        tls_server(tmp_path, "logfire.invalid") as (port, hosts),
        RecordingProxy(port) as between,
    ):
        guard = start_guard(
            HTTP_PROXY=between.url,
            HTTPS_PROXY=between.url,
            GUARD_UPSTREAM="logfire.invalid:443",
            GUARD_TLS="on",
            GUARD_TRUST=f"file {tmp_path / 'cert.pem'}",
            GUARD_METRICS_UPSTREAM=f"127.0.0.1:{otlp_sink.port}",
        )

        assert send(guard.url).status_code == 200
        assert send(guard.metrics_url).status_code == 200
        assert hosts == ["logfire.invalid"]
        assert between.asked == ["CONNECT logfire.invalid:443"]


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
