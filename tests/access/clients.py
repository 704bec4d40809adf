"""Clients at the OTLP receivers' doors: what they bring, and what they are told."""

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
TAKEN, NOBODY, TOO_LARGE = "taken", "who are you", "too large"
NO_ENTRY = "no connection"


@dataclass(frozen=True)
class Knock:
    """What a client brings: a request in bytes, a token, whom it trusts (None: plain text).

    `proof` is a file with a key and certificate of its own.
    """

    body: bytes
    token: str | None = None
    trusts: bytes | None = None
    encoding: str = ""
    proof: Path | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The token as producers send it."""
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}


def request_of(span: Span) -> bytes:
    """Return the export request of one span."""
    ((_, body),) = export_requests([span], RESOURCE, "doors")
    return body


def over_http(collector: Collector, knock: Knock) -> str:
    """Post it; returns one of the answers above, or what was said."""
    host = collector.env["OTLP_HTTP_LISTEN"]
    headers = {"content-type": "application/x-protobuf", **knock.headers}
    if knock.encoding:
        headers["content-encoding"] = knock.encoding
    connection = http.client.HTTPConnection(host, timeout=30)
    if knock.trusts:
        context = ssl.create_default_context(cadata=knock.trusts.decode())
        if knock.proof:
            context.load_cert_chain(knock.proof)
        connection = http.client.HTTPSConnection(host, timeout=30, context=context)
    try:
        connection.request("POST", "/v1/traces", knock.body, headers)
        answer = connection.getresponse()
        return in_short(answer.status, answer.read().decode(errors="replace"))
    except OSError:
        return NO_ENTRY
    finally:
        connection.close()


def in_short(status: int, said: str) -> str:
    """Put an HTTP answer into a word."""
    if status == 400 and "HTTPS server" in said:
        return NO_ENTRY
    if status == 400 and "too large" in said:
        return TOO_LARGE
    return {200: TAKEN, 401: NOBODY}.get(status) or f"{status} {said}"


CODES = {
    grpc.StatusCode.UNAUTHENTICATED: NOBODY,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TOO_LARGE,
    grpc.StatusCode.UNAVAILABLE: NO_ENTRY,
}


def over_grpc(collector: Collector, knock: Knock) -> str:
    """Call it; answers as over HTTP."""
    target, options = collector.env["OTLP_GRPC_LISTEN"], [("grpc.max_send_message_length", -1)]
    proof = knock.proof.read_bytes() if knock.proof else None
    with (
        grpc.secure_channel(
            target, grpc.ssl_channel_credentials(knock.trusts, proof, proof), options
        )
        if knock.trusts
        else grpc.insecure_channel(target, options)
    ) as channel:
        packed = grpc.Compression.Gzip if knock.encoding else grpc.Compression.NoCompression
        headers = list(knock.headers.items())
        try:
            channel.unary_unary(EXPORT)(knock.body, 30, headers, compression=packed)
        except grpc.RpcError as error:
            return CODES.get(error.code()) or f"{error.code()} {error.details()}"
    return TAKEN


DOORS: dict[str, Callable[[Collector, Knock], str]] = {"http": over_http, "grpc": over_grpc}
