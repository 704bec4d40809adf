"""OTLP over HTTP, protobuf only: `/v1/traces`, `/v1/logs`, `/v1/metrics`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stack.standins.logfire.faults import CuttingProtocol, Faults
from stack.standins.logfire.ingest.bodies import RefusedError, read_body
from stack.standins.logfire.ingest.decoded import Decoded
from stack.standins.logfire.ingest.metrics import decode_metrics
from stack.standins.logfire.ingest.records import decode_logs, decode_traces
from stack.standins.logfire.store import Store
from stack.standins.logfire.tokens import accepts_token

PROTOBUF = "application/x-protobuf"
MAX_CONCURRENT = 4  # requests read and decoded concurrently: limits their memory


@dataclass(frozen=True)
class Signal:
    """One OTLP path: what it counts, and its request and response messages."""

    counted: str
    decode: Callable[[bytes], Decoded]
    response: type[Any]
    rejected: str


SIGNALS = {
    "/v1/traces": Signal("spans", decode_traces, ExportTraceServiceResponse, "rejected_spans"),
    "/v1/logs": Signal("logs", decode_logs, ExportLogsServiceResponse, "rejected_log_records"),
    "/v1/metrics": Signal(
        "metric_points", decode_metrics, ExportMetricsServiceResponse, "rejected_data_points"
    ),
}


class Ingest:
    def __init__(self, store: Store, token: str) -> None:
        self.store, self.token = store, token
        self.turn = asyncio.Semaphore(MAX_CONCURRENT)

    async def __call__(self, request: Request) -> Response:
        """Answer one export, with the current faults."""
        faults = CuttingProtocol.faults
        await faults.delay()
        received = 0
        try:
            async with self.turn:
                # Read before refusing, or a client that is still writing sees a broken connection.
                body, received = await read_body(request)
                self._check(request, body, faults)
                signal = SIGNALS[request.url.path]
                answer = await run_in_threadpool(self._store, signal, body)
        except RefusedError as error:
            self.store.count(refused=True, body_bytes=received)
            headers = faults.headers if error.status == faults.status else {}
            return PlainTextResponse(error.message, error.status, headers)
        self.store.count(refused=False, body_bytes=received)
        return Response(answer, media_type=PROTOBUF)

    def _check(self, request: Request, body: bytes, faults: Faults) -> None:
        if faults.status is not None:
            raise RefusedError(faults.status, "refused because of the fault `refuse`")
        if not accepts_token(request, self.token):
            raise RefusedError(401, "invalid write token")
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != PROTOBUF:
            raise RefusedError(415, f"send OTLP as {PROTOBUF}, not as {kind or 'untyped data'}")
        if faults.poisoned(body):
            raise RefusedError(400, "refused because of the fault `poison`")

    def _store(self, signal: Signal, body: bytes) -> bytes:
        try:
            decoded = signal.decode(body)
            self.store.add(decoded, signal.counted)
        except DecodeError as error:
            raise RefusedError(400, f"the body is not an OTLP export: {error}") from None
        except (pa.ArrowInvalid, OverflowError) as error:
            raise RefusedError(400, f"a value does not fit its column: {error}") from None
        return response_to(signal, decoded)


def response_to(signal: Signal, decoded: Decoded) -> bytes:
    """Return the OTLP response: empty for success, else how many items were rejected and why."""
    response = signal.response()
    if decoded.rejected:
        setattr(response.partial_success, signal.rejected, decoded.rejected)
        response.partial_success.error_message = decoded.reason
    answer: bytes = response.SerializeToString()
    return answer
