"""Clients of the OTLP receivers, over HTTP and gRPC: what they send, and the responses."""

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.sender import RESOURCE, export_requests
from pytest_otelcol.collector import Collector

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
ACCEPTED, UNAUTHENTICATED, TOO_LARGE = "accepted", "unauthenticated", "too large"
NO_CONNECTION = "no connection"


@dataclass(frozen=True)
class Attempt:
    """What a client sends: a request in bytes, and a token.

    `authority` is whose certificates it trusts (None: plain text); `certificate` a file with a key
    and a certificate of its own.
    """

    body: bytes
    token: str | None = None
    authority: bytes | None = None
    encoding: str = ""
    certificate: Path | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The token as producers send it."""
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}


def request_of(span: Span) -> bytes:
    """Return the export request of one span."""
    ((_, body),) = export_requests([span], RESOURCE, "access")
    return body


def over_http(collector: Collector, attempt: Attempt) -> str:
    """Post it; returns one of the outcomes above, or the response."""
    host = collector.env["OTLP_HTTP_LISTEN"]
    headers = {"content-type": "application/x-protobuf", **attempt.headers}
    if attempt.encoding:
        headers["content-encoding"] = attempt.encoding
    connection = http.client.HTTPConnection(host, timeout=30)
    if attempt.authority:
        context = ssl.create_default_context(cadata=attempt.authority.decode())
        if attempt.certificate:
            context.load_cert_chain(attempt.certificate)
        connection = http.client.HTTPSConnection(host, timeout=30, context=context)
    try:
        connection.request("POST", "/v1/traces", attempt.body, headers)
        answer = connection.getresponse()
        return answer_in_a_word(answer.status, answer.read().decode(errors="replace"))
    except OSError:
        return NO_CONNECTION
    finally:
        connection.close()


def answer_in_a_word(status: int, said: str) -> str:
    """Return the outcome of an HTTP response."""
    if status == 400 and "HTTPS server" in said:
        return NO_CONNECTION
    if status == 400 and "too large" in said:
        return TOO_LARGE
    return {200: ACCEPTED, 401: UNAUTHENTICATED}.get(status) or f"{status} {said}"


CODES = {
    grpc.StatusCode.UNAUTHENTICATED: UNAUTHENTICATED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TOO_LARGE,
    grpc.StatusCode.UNAVAILABLE: NO_CONNECTION,
}


def over_grpc(collector: Collector, attempt: Attempt) -> str:
    """Call it; the outcomes are the same as over HTTP."""
    target, options = collector.env["OTLP_GRPC_LISTEN"], [("grpc.max_send_message_length", -1)]
    certificate = attempt.certificate.read_bytes() if attempt.certificate else None
    with (
        grpc.secure_channel(
            target,
            grpc.ssl_channel_credentials(attempt.authority, certificate, certificate),
            options,
        )
        if attempt.authority
        else grpc.insecure_channel(target, options)
    ) as channel:
        packed = grpc.Compression.Gzip if attempt.encoding else grpc.Compression.NoCompression
        headers = list(attempt.headers.items())
        try:
            channel.unary_unary(EXPORT)(attempt.body, 30, headers, compression=packed)
        except grpc.RpcError as error:
            return CODES.get(error.code()) or f"{error.code()} {error.details()}"
    return ACCEPTED


PROTOCOLS: dict[str, Callable[[Collector, Attempt], str]] = {"http": over_http, "grpc": over_grpc}
