"""Reading a request's body with a bound on what it costs, compressed or not."""

import zlib
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

MAX_BYTES = 100_000_000  # the service answers 413 above 100 MB
GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class RefusedError(Exception):
    """The request is answered with this status and sentence; a sender must not try again."""

    status: int
    message: str


class Unpacked:
    """The growing body, unpacked chunk by chunk: a small bomb never becomes a large one."""

    def __init__(self, encoding: str) -> None:
        if encoding not in {"", "identity", "gzip"}:
            raise RefusedError(415, f"content encoding {encoding} is not supported: send gzip")
        self.gzip = zlib.decompressobj(GZIP) if encoding == "gzip" else None
        self.body = bytearray()
        self.received = 0

    def add(self, chunk: bytes) -> None:
        """Add what came over the wire; raises `RefusedError`."""
        self.received += len(chunk)
        self.body += self._unpack(chunk)
        if len(self.body) > MAX_BYTES or self.received > MAX_BYTES:
            raise RefusedError(413, "a request may carry 100 MB at most")

    def _unpack(self, chunk: bytes) -> bytes:
        if self.gzip is None:
            return chunk
        try:
            return self.gzip.decompress(chunk, MAX_BYTES + 1 - len(self.body))
        except zlib.error as error:
            raise RefusedError(400, f"the body is not gzip: {error}") from None

    def finish(self) -> bytes:
        """Return the whole body; raises `RefusedError` when its end is missing."""
        if self.gzip is not None and not self.gzip.eof:
            raise RefusedError(400, "the gzip body ends too early")
        return bytes(self.body)


async def read_body(request: Request) -> tuple[bytes, int]:
    """Return the unpacked body and its size on the wire; raises `RefusedError`."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_BYTES:
        raise RefusedError(413, "a request may carry 100 MB at most")
    unpacked = Unpacked(request.headers.get("content-encoding", "").lower())
    try:
        async for chunk in request.stream():
            unpacked.add(chunk)
    except ClientDisconnect:
        raise RefusedError(400, "the sender left in the middle of the body") from None
    return unpacked.finish(), unpacked.received
