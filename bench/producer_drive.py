"""One application called without a server: `python -m bench.producer_drive APPLICATION VARIANT N`.

Prints the seconds of CPU that N requests took, all threads and the export of what they made
included.
"""

import asyncio
import sys
import time
from collections.abc import Callable

from fastapi import FastAPI
from opentelemetry import trace
from starlette.types import Message, Scope

from bench.producer_load import HEADERS, REQUESTS
from bench.producer_service import application

WARM_UP = 300


async def drive(app: FastAPI, name: str, requests: int) -> float:
    """Serve requests one after the other; returns seconds of CPU."""
    async with app.router.lifespan_context(app):
        await serve(app, name, WARM_UP)
        started = time.process_time()
        await serve(app, name, requests)
        return time.process_time() - started


async def serve(app: FastAPI, name: str, requests: int) -> None:
    """Serve requests, and export what they made."""
    method, path, body = REQUESTS[name]
    message: Message = {"type": "http.request", "body": body, "more_body": False}

    async def receive() -> Message:
        return message

    statuses = set()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.add(message["status"] // 100)

    for _ in range(requests):
        await app(scope_of(method, path, body), receive, send)
    if statuses != {2}:
        raise RuntimeError(f"{name} was not served well: {statuses}")
    flush: Callable[[], object] = getattr(trace.get_tracer_provider(), "force_flush", bool)
    flush()


def scope_of(method: str, path: str, body: bytes) -> Scope:
    """Return what a server would say of the request."""
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [*headers, (b"content-length", str(len(body)).encode())],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


if __name__ == "__main__":
    seconds = asyncio.run(drive(application(sys.argv[1], sys.argv[2]), sys.argv[1], int(sys.argv[3])))
    print(seconds)  # noqa: T201 - the result
