"""A backend that only counts, in its own process: OTLP over HTTP and remote write.

    python -m bench.collector.sink PORT

`POST /counts` returns the counts as JSON. Spans are counted by walking over the lengths in the
message; nothing is decoded.
"""

import json
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping

from otelcol_runner.loopback import open_url
from otelcol_runner.ports import accepts
from otelcol_runner.process import Process
from pytest_otelcol.recorder import Response, decompressed
from pytest_otelcol.server import RecordingServer

from stack.paths import ROOT

LENGTH_DELIMITED = 2


class CountingSink(RecordingServer):
    """Counts spans, requests and bytes; `last` is when the last spans came, in epoch seconds."""

    def __init__(self, port: int) -> None:
        super().__init__("counting sink", port)
        self.counts: Counter[str] = Counter()
        self.last = 0.0

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        if path == "/counts":
            with self._lock:
                return 200, {}, json.dumps({**self.counts, "last": self.last}).encode()
        spans = 0
        if path == "/v1/traces":
            spans = count_spans(decompressed(body, headers.get("content-encoding", "")))
        with self._lock:
            self.counts.update({"spans": spans, f"requests {path}": 1, f"bytes {path}": len(body)})
            self.last = time.time() if spans else self.last
            self.requests.clear()
        return (200 if path.startswith("/v1/") else 204), {}, b""

    def _forget(self) -> None:
        self.counts.clear()


class Sink(Process):
    """The counting sink as a process; `url` is what exporters are pointed at."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        argv = [sys.executable, "-m", "bench.collector.sink", str(port)]
        super().__init__("sink", argv, cwd=ROOT, ready=lambda: accepts(port))

    def counts(self) -> dict[str, float]:
        """Return the counts so far."""
        request = urllib.request.Request(f"{self.url}/counts", b"")  # noqa: S310 - our own URL
        with open_url(request, timeout=30) as answer:
            found: dict[str, float] = json.load(answer)
        return found


def count_spans(body: bytes) -> int:
    """Return how many spans an OTLP trace request holds (fields 1, 2 and 2 of its levels)."""
    return sum(
        1
        for resource in parts(body, 0, len(body), 1)
        for scope in parts(body, *resource, 2)
        for _ in parts(body, *scope, 2)
    )


def parts(body: bytes, at: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each field with the number `wanted`.

    Raises:
        ValueError: a field of another wire type; OTLP has none on these levels.
    """
    while at < end:
        key, at = varint(body, at)
        if key & 7 != LENGTH_DELIMITED:
            raise ValueError(f"wire type {key & 7} at {at}")
        length, at = varint(body, at)
        if key >> 3 == wanted:
            yield at, at + length
        at += length


def varint(body: bytes, at: int) -> tuple[int, int]:
    """Return the number at an offset, and the offset behind it."""
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def main() -> None:
    """Serve until stopped."""
    with CountingSink(int(sys.argv[1])):
        threading.Event().wait()


if __name__ == "__main__":
    main()
