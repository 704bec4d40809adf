"""One application called without a server: `python -m bench.producer_drive APPLICATION VARIANT N`.

Prints as JSON the microseconds of CPU a request, all threads and the export of what they made
included, and how many of these went into encoding and posting.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.common.http import _OTLPHTTPClient
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from starlette.types import Message, Scope

from bench.producer_load import HEADERS, REQUESTS
from bench.producer_service import application

WARM_UP = 300
SLICES = 5  # the median of them is the figure: the machine does other things meanwhile


async def drive(app: FastAPI, name: str, requests: int) -> dict[str, float]:
    """Serve requests one after the other; returns microseconds of CPU a request."""
    spent: dict[str, float] = {}
    timed(trace_exporter, "encode_spans", spent)
    timed(_OTLPHTTPClient, "export", spent)
    async with app.router.lifespan_context(app):
        await serve(app, name, WARM_UP)
        slices = [await one_slice(app, name, requests // SLICES, spent) for _ in range(SLICES)]
    return {part: statistics.median(each[part] for each in slices) for part in slices[0]}


async def one_slice(
    app: FastAPI, name: str, requests: int, spent: dict[str, float]
) -> dict[str, float]:
    """Serve a part of the requests; returns microseconds of CPU a request."""
    spent.clear()
    started = time.process_time()
    await serve(app, name, requests)
    spent["cpu"] = time.process_time() - started
    return {part: seconds / requests * 1e6 for part, seconds in spent.items()}


def timed(owner: object, name: str, spent: dict[str, float]) -> None:
    """Add up the CPU time of a function's calls in `spent[name]`."""
    function: Callable[..., Any] = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        started = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] = spent.get(name, 0.0) + time.thread_time() - started

    setattr(owner, name, call)


async def serve(app: FastAPI, name: str, requests: int) -> None:
    """Serve requests, and export what they made."""
    method, path, body = REQUESTS[name]
    statuses = set()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.add(message["status"] // 100)

    for _ in range(requests):
        await app(scope_of(method, path, body), receive, send)
    if statuses != {2}:
        raise RuntimeError(f"{name}: answers of the kinds {statuses}")
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
    name, variant, requests = sys.argv[1], sys.argv[2], int(sys.argv[3])
    found = asyncio.run(drive(application(name, variant), name, requests))
    print(json.dumps(found))  # noqa: T201 - the result
