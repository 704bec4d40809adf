"""A server of the standard library in a thread."""

import threading
from socketserver import BaseServer
from typing import Self


class Serving:
    """A context manager that serves while it is open; subclasses set `_server`, which is bound."""

    _server: BaseServer

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
