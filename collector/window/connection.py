"""A connection to the collector's receiver `otlp/window`, a Unix socket in the folder."""

import http.client
import socket
import sys
import time
from pathlib import Path

REFUSED, BUSY = (400, 413), (429, 502, 503, 504)
PATIENCE = 10.0  # seconds; then the folder may be full
PROTOBUF, JSON = "application/x-protobuf", "application/json"


class CollectorError(Exception):
    """The collector is not there, or stopped while it answered."""


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket; connects once, because the next process has another socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.auto_open = 0
        try:
            self.sock.connect(str(path))
        except OSError:
            self.sock.close()
            raise


class Collector:
    """The collector that runs now; after an error, another one may.

    Raises:
        CollectorError: none runs.
    """

    def __init__(self, folder: Path) -> None:
        sockets = sorted(folder.glob("*.socket"), key=lambda path: -path.stat().st_ctime_ns)
        for path in sockets:
            try:
                self._connection = Connection(path)
            except OSError:
                continue
            for other in set(sockets) - {path}:
                other.unlink(missing_ok=True)
            return
        raise CollectorError("no collector runs")

    def post(self, path: str, body: bytes, kind: str = PROTOBUF) -> None:
        """Send a request until it is taken. Raises `CollectorError`."""
        began = time.monotonic()
        while (status := self._status(path, body, kind)) != http.HTTPStatus.OK:
            if status in REFUSED:
                sys.stderr.write(f"window: the collector refused {len(body)} bytes with {status}\n")
                return
            if status not in BUSY or time.monotonic() - began > PATIENCE:
                raise CollectorError(f"it answered {status}")
            time.sleep(0.2)  # it has no memory for it yet, or the folder is full

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _status(self, path: str, body: bytes, kind: str) -> int:
        try:
            self._connection.request("POST", path, body, {"content-type": kind})
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise CollectorError(str(error)) from None
        return answer.status
