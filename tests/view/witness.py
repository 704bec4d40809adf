"""A backend that records every request, since a real one does not tell which headers arrived."""

from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.loopback import Serving

ANSWER = b'{"status":"success","data":[]}'


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str] = field(compare=False)
    body: bytes = b""


class Witness(Serving):
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked.append(Asked(self.command, self.path, headers, body))
                self.send_response(200)
                for name, value in {
                    "content-type": "application/json",
                    "content-length": str(len(ANSWER)),
                    "set-cookie": "session=1",
                    "access-control-allow-origin": "*",
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(ANSWER)

            do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server = server
        self.place = f"127.0.0.1:{server.server_address[1]}"
