"""A test backend that accepts OTLP over HTTP and keeps what it received."""

from collections.abc import Mapping

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from pytest_otelcol.otlp import OtlpRecorder
from pytest_otelcol.recorder import Response, decompressed
from pytest_otelcol.server import RecordingServer

SIGNALS = {f"/v1/{signal}": signal for signal in ("traces", "logs", "metrics")}


class OtlpSink(OtlpRecorder, RecordingServer):
    """Accepts OTLP/HTTP protobuf at `/v1/traces`, `/v1/logs` and `/v1/metrics`.

    ```python
    with OtlpSink("logfire") as sink:
        ...  # point an exporter at sink.url
        span = sink.expect_span("GET /users", {"http.route": "/users"}, kind="SERVER")
    ```
    `spans`, `logs` and `points` are flat and include their resource; `requests` has the headers.
    """

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        if not headers.get("content-type", "").startswith("application/x-protobuf"):
            return 415, {}, b"expected application/x-protobuf"
        if path not in SIGNALS:
            return 404, {}, b"no such signal"
        try:
            plain = decompressed(body, headers.get("content-encoding", ""))
            self._keep(SIGNALS[path], self._keep_raw(plain))
        except (DecodeError, OSError, ValueError) as error:
            return 400, {}, str(error).encode()
        return 200, {}, b""
