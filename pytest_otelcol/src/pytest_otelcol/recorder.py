"""What every sink does: record requests, and be slow, refuse or go away on demand."""

import gzip
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeVar

from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port

from pytest_otelcol import activity

Found = TypeVar("Found")
Response = tuple[int, Mapping[str, str], bytes]  # status, headers, body


@dataclass(frozen=True)
class Request:
    """One request: path, headers (names in lower case), size of the body, status of the response.

    The status is that of HTTP, for a gRPC sink that of gRPC (0 is OK).
    """

    path: str
    headers: Mapping[str, str]
    size: int
    status: int


@dataclass(frozen=True)
class Refusal:
    """Which requests are refused, with which status and for how long (seconds)."""

    status: int
    retry_after: int | None = None
    containing: bytes = b""
    unless: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}

    def applies_to(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Return whether a request is refused."""
        if self.unless and self.unless.items() <= headers.items():
            return False
        encoding = headers.get("content-encoding", "")
        return not self.containing or self.containing in decompressed(body, encoding)


class Recorder:
    """A backend on loopback and a context manager; subclasses listen, and decode the bodies.

    Args:
        name: its name in error messages.
        port: the port to listen on; a free one by default.
    """

    def __init__(self, name: str, port: int | None = None) -> None:
        self.name = name
        self.port = port or free_port()
        self.requests: list[Request] = []
        self.raw: list[bytes] | None = None
        self._lock = threading.Lock()
        self._refusal: Refusal | None = None
        self._delay = 0.0
        self._wake = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; after `stop`, on the same port as before."""
        self._wake.clear()
        activity.register(self)
        self._listen()

    def stop(self) -> None:
        """Go away like a crashed backend: open connections are cut.

        A response in progress is finished first: a request that was kept and not answered would be
        sent again, and be kept twice.
        """
        self._wake.set()
        self._close()

    def slow(self, seconds: float) -> None:
        """Delay every response by this time; `stop` ends the wait."""
        self._delay = seconds

    def accept(self) -> None:
        """Undo `refuse` and `slow`: accept everything, at once."""
        self._refusal, self._delay = None, 0.0

    def keep_raw(self) -> None:
        """From now on keep every accepted body, decompressed, in `raw`."""
        self.raw = []

    def clear(self) -> None:
        """Forget everything received so far."""
        with self._lock:
            self.requests.clear()
            self._forget()

    def describe(self) -> str:
        """Return what was received as text."""
        raise NotImplementedError

    def wait_for(
        self, check: Callable[[Self], Found | None], what: str, *, timeout: float = 10.0
    ) -> Found:
        """Call `check(sink)` until it is truthy; the error lists everything received instead."""
        return poll_until(
            lambda: check(self), f"{self.name}: {what}", timeout=timeout, seen=self.describe
        )

    def _respond(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        self._wake.wait(self._delay)
        refusal = self._refusal
        if refusal and refusal.applies_to(headers, body):
            answer: Response = (refusal.status, refusal.headers, b"")
        else:
            answer = self._decode(path, headers, body)
        with self._lock:
            self.requests.append(Request(path, headers, len(body), answer[0]))
        return answer

    def _keep_raw(self, body: bytes) -> bytes:
        if self.raw is not None:
            self.raw.append(body)
        return body

    def _listen(self) -> None:
        """Listen on `port` and answer by `_respond`."""
        raise NotImplementedError

    def _close(self) -> None:
        """Stop listening, if it does, and cut all connections."""
        raise NotImplementedError

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Decode and keep a request; return the response."""
        raise NotImplementedError

    def _forget(self) -> None:
        """Drop decoded items; called with the lock held."""
        raise NotImplementedError


def decompressed(body: bytes, encoding: str) -> bytes:
    """Undo the content encodings of OTLP/HTTP; raises `ValueError` for any other."""
    match encoding:
        case "" | "identity":
            return body
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
    raise ValueError(f"content encoding {encoding!r} is not supported")
