"""Remote write of made-up series: every store and Prometheus get the same bytes."""

import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cramjam
import httpx

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
NAME = "__name__"
SAMPLE = b"\x12\x10\x09"  # a field of 16 bytes, as a time of this century has 6; the value's field
DOUBLE = struct.Struct("<d").pack


@dataclass(frozen=True)
class Written:
    """A series, labels with its name, and its samples: milliseconds since 1970 and a value."""

    labels: dict[str, str]
    samples: Sequence[tuple[int, float]]


def request(series: Iterable[Written]) -> bytes:
    """Return a request of remote write 1.0, compressed."""
    plain = b"".join(part(1, encoded(one)) for one in series)
    return bytes(cramjam.snappy.compress_raw(plain))


def encoded(series: Written) -> bytes:
    labels = sorted(series.labels.items())
    named = [part(1, part(1, name.encode()) + part(2, value.encode())) for name, value in labels]
    samples = [
        b"".join((SAMPLE, DOUBLE(value), b"\x10", varint(moment)))
        for moment, value in series.samples
    ]
    return b"".join(named + samples)


def part(number: int, content: bytes) -> bytes:
    """Return a field of protobuf that has a length."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


@lru_cache(maxsize=100_000)
def varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def post(client: httpx.Client, url: str, body: bytes) -> httpx.Response:
    """Write a request; raises `httpx.HTTPStatusError` when it is refused."""
    return client.post(url, content=body, headers=HEADERS).raise_for_status()


def write(url: str, *series: Written) -> None:
    """Write these series in one request."""
    with httpx.Client(timeout=20) as client:
        post(client, url, request(series))


def milliseconds(seconds_ago: float = 0) -> int:
    return int((time.time() - seconds_ago) * 1000)
