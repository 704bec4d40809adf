"""Reads request bodies with a limit on their size, compressed and decompressed."""

import zlib
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

MAX_BYTES = 100_000_000  # the service answers 413 above 100 MB
GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class RefusedError(Exception):
    """The request is answered with this status and message; the sender must not retry it."""

    status: int
    message: str


class DecompressedBody:
    """A body that is decompressed chunk by chunk, so that a gzip bomb is stopped at the limit."""

    def __init__(self, encoding: str) -> None:
        if encoding not in {"", "identity", "gzip"}:
            raise RefusedError(415, f"content encoding {encoding} is not supported: use gzip")
        self.gzip = zlib.decompressobj(GZIP) if encoding == "gzip" else None
        self.body = bytearray()
        self.received = 0

    def add(self, chunk: bytes) -> None:
        """Add a received chunk; raises `RefusedError`."""
        self.received += len(chunk)
        self.body += self._decompress(chunk)
        if len(self.body) > MAX_BYTES or self.received > MAX_BYTES:
            raise RefusedError(413, "the request is larger than 100 MB: send smaller batches")

    def _decompress(self, chunk: bytes) -> bytes:
        if self.gzip is None:
            return chunk
        try:
            return self.gzip.decompress(chunk, MAX_BYTES + 1 - len(self.body))
        except zlib.error as error:
            raise RefusedError(400, f"the body is not gzip: {error}") from None

    def finish(self) -> bytes:
        """Return the whole body; raises `RefusedError` if its end is missing."""
        if self.gzip is not None and not self.gzip.eof:
            raise RefusedError(400, "the gzip body is truncated")
        return bytes(self.body)


async def read_body(request: Request) -> tuple[bytes, int]:
    """Return the decompressed body and its compressed size; raises `RefusedError`."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_BYTES:
        raise RefusedError(413, "the request is larger than 100 MB: send smaller batches")
    body = DecompressedBody(request.headers.get("content-encoding", "").lower())
    try:
        async for chunk in request.stream():
            body.add(chunk)
    except ClientDisconnect:
        raise RefusedError(400, "the sender disconnected before the end of the body") from None
    return body.finish(), body.received
