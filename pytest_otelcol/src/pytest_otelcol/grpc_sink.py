"""A test backend that accepts OTLP over gRPC and keeps what it received."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from pytest_otelcol.otlp import OtlpRecorder
from pytest_otelcol.recorder import Refusal, Response

CODES = {code.value[0]: code for code in grpc.StatusCode}
INVALID_ARGUMENT: int = grpc.StatusCode.INVALID_ARGUMENT.value[0]
THREADS = 16
Respond = Callable[[str, Mapping[str, str], bytes], Response]
LARGEST = 256 * 2**20  # bytes of a message; the default of 4 MiB is not the test's business
SIGNALS = {
    f"opentelemetry.proto.collector.{package}.v1.{service}Service": signal
    for package, service, signal in (
        ("trace", "Trace", "traces"),
        ("logs", "Logs", "logs"),
        ("metrics", "Metrics", "metrics"),
    )
}


class OtlpGrpcSink(OtlpRecorder):
    """Accepts OTLP over gRPC, without TLS; otherwise like `OtlpSink`.

    In the collector's `otlp_grpc` exporter, `url` is the endpoint, beside `tls: {insecure: true}`.
    The headers of a request are its metadata.
    """

    _server: grpc.Server | None = None

    def __init__(self, name: str = "otlp grpc sink", port: int | None = None) -> None:
        super().__init__(name, port)

    def refuse(
        self,
        status: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE,
        *,
        retry_after: int | None = None,
        containing: bytes = b"",
        unless: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with this gRPC status, and keep only the metadata of a request.

        Args:
            status: the gRPC status.
            retry_after: seconds, sent as the status' `RetryInfo`.
            containing: refuse only messages that contain these bytes.
            unless: accept requests with all this metadata; names in lower case.
        """
        self._refusal = Refusal(status.value[0], retry_after, containing, unless or {})

    def _listen(self) -> None:
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", LARGEST)]
        server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
        server.add_generic_rpc_handlers([_handler(name, self._respond) for name in SIGNALS])
        server.add_insecure_port(f"127.0.0.1:{self.port}")
        server.start()
        self._server = server

    def _close(self) -> None:
        if self._server is not None:
            self._server.stop(grace=1.0).wait()
            self._server = None

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            self._keep(SIGNALS[path.split("/")[1]], self._keep_raw(body))
        except DecodeError as error:
            return INVALID_ARGUMENT, {}, str(error).encode()
        return 0, {}, b""

    def _is_refusal(self, status: int) -> bool:
        return status != 0


def _handler(service: str, respond: Respond) -> Any:
    """Return a handler that gives the undecoded message of `Export` to `respond`."""

    def export(body: bytes, context: Any) -> bytes:
        metadata = dict(context.invocation_metadata())
        status, headers, answer = respond(f"/{service}/Export", metadata, body)
        if status:
            if wait := headers.get("retry-after"):
                details = ("grpc-status-details-bin", retry(status, wait))
                context.set_trailing_metadata([details])
            context.abort(CODES[status], answer.decode() or "refused by the test")
        return answer

    methods = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    return grpc.method_handlers_generic_handler(service, methods)


def retry(status: int, seconds: str) -> bytes:
    """Return the status with how long the client is to wait, as OTLP over gRPC has it."""
    detailed = Status(code=status)
    detailed.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=int(seconds))))
    message: bytes = detailed.SerializeToString()
    return message
