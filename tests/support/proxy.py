"""A real HTTP proxy that records what it is asked for, and has one server for every name."""

import socket
import socketserver
import threading
from contextlib import suppress

from tests.support.loopback import Serving


class RecordingProxy(Serving):
    """Takes tunnels (CONNECT) and whole URLs; `asked` has the method and target of each request.

    Every request goes to `port` on this machine, whatever name it has.
    """

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                method, target, version = self.rfile.readline().decode().split()
                asked.append(f"{method} {target}")
                fields = [*iter(lambda: self.rfile.readline().strip(), b"")]
                with socket.create_connection(("127.0.0.1", port)) as there:
                    if method == "CONNECT":
                        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    else:
                        # One request for each connection: the next one is to be recorded, too.
                        path = "/" + target.partition("://")[2].partition("/")[2]
                        hops = (b"connection:", b"proxy-connection:")
                        kept = [field for field in fields if not field.lower().startswith(hops)]
                        head = [f"{method} {path} {version}".encode(), *kept, b"Connection: close"]
                        there.sendall(b"\r\n".join([*head, b"", b""]))
                    back = threading.Thread(target=pour, args=(there, self.connection))
                    back.start()
                    while data := self.rfile.read1(65536):
                        there.sendall(data)
                    with suppress(OSError):
                        there.shutdown(socket.SHUT_WR)
                    back.join()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, block_on_close = True, False

            def handle_error(self, *_: object) -> None:
                """A client that is stopped cuts its connections."""

        server = Server(("127.0.0.1", 0), Handler)
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"


def pour(source: socket.socket, target: socket.socket, old: bytes = b"", new: bytes = b"") -> None:
    """Copy data until the end of the stream, with `new` in place of `old`."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data.replace(old, new))
        target.shutdown(socket.SHUT_WR)
