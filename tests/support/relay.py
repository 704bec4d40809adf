"""A TCP relay: an address that leads to another server later, as a service's name does."""

import socket
import socketserver
import threading

from tests.support.loopback import Serving
from tests.support.proxy import pour


class Relay(Serving):
    """Takes connections on `port` and forwards each to `target`, a port that a test may change.

    A connection stays where it leads. In what comes back, `new` replaces `old`, of the same length.
    """

    def __init__(self, target: int, old: bytes = b"", new: bytes = b"") -> None:
        assert len(old) == len(new)
        self.target = target
        relay = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", relay.target)) as there:
                    back = threading.Thread(target=pour, args=(there, self.request, old, new))
                    back.start()
                    pour(self.request, there)
                    back.join()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, block_on_close = True, False

            def handle_error(self, *_: object) -> None:
                """The target may be stopped, which cuts its connections."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
