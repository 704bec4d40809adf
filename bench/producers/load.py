"""A closed loop of clients: `python -m bench.producers.load APPLICATION PORT REQUESTS CLIENTS`.

Each client has one connection and sends its next request after the response. Plain sockets, so
that the load costs less than what it measures.
"""

import asyncio
import json
import sys

TASK = {"task_type": "word_statistics", "text": "Telemetry is cheap to make and dear to keep."}
REQUESTS = {
    "documents": ("GET", "/documents/story-1", b""),
    "tasks": ("POST", "/agents/researcher/tasks", json.dumps(TASK).encode()),
}
HEADERS = {
    "host": "127.0.0.1:8000",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "content-type": "application/json",
    "connection": "keep-alive",
}


def encoded(method: str, path: str, body: bytes) -> bytes:
    """Return the request as bytes."""
    headers = {**HEADERS, "content-length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def client(port: int, request: bytes, times: int) -> None:
    """Send this many requests, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(head.decode())
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
    writer.close()


async def load(name: str, port: int, requests: int, clients: int) -> None:
    """Send this many requests in all."""
    request = encoded(*REQUESTS[name])
    shares = (len(range(number, requests, clients)) for number in range(clients))
    await asyncio.gather(*(client(port, request, share) for share in shares))


if __name__ == "__main__":
    asyncio.run(load(sys.argv[1], *map(int, sys.argv[2:5])))
