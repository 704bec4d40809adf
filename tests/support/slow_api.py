"""A documents API that responds when a test says so."""

import json
import socket


class SlowApi:
    """Accepts a worker's request for a document and responds on demand, to keep a task running."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(60)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connection: socket.socket | None = None

    def wait_for_request(self) -> None:
        self._connection, _ = self._listener.accept()
        self._connection.settimeout(10)
        self._connection.recv(65536)

    def answer(self, text: str) -> None:
        assert self._connection
        body = json.dumps({"text": text})
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        self._connection.sendall(f"{head}\r\n\r\n{body}".encode())

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._listener.close()
