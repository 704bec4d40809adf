"""Runs one application without a server, for `bench/producers/measure.py`.

    python -m bench.producers.drive APPLICATION VARIANT REQUESTS cpu|calls

Prints as JSON the microseconds of CPU per request, with all threads and the export of their
telemetry, and how many of these were for encoding and posting; or the function calls per
request, which do not depend on the machine's load.
"""

import asyncio
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.common.http import _OTLPHTTPClient
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from starlette.types import Message, Scope

from bench.producers.load import HEADERS, REQUESTS
from bench.producers.service import application

WARM_UP = 300


async def cpu(app: FastAPI, name: str, requests: int) -> dict[str, float]:
    """Return microseconds per request."""
    spent: dict[str, float] = {}
    timed(trace_exporter, "encode_spans", spent)
    timed(_OTLPHTTPClient, "export", spent)
    async with app.router.lifespan_context(app):
        await serve(app, name, WARM_UP)
        spent.clear()
        started = time.process_time()
        await serve(app, name, requests)
        spent["cpu"] = time.process_time() - started
    return {part: seconds / requests * 1e6 for part, seconds in spent.items()}


async def calls(app: FastAPI, name: str, requests: int) -> dict[str, float]:
    """Return calls per request, of Python and C functions."""
    counter = itertools.count()

    def count(_: FrameType, event: str, __: object) -> None:
        if event in {"call", "c_call"}:
            next(counter)

    threading.setprofile(count)  # for the exporters' threads, which start with the application
    async with app.router.lifespan_context(app):
        await serve(app, name, WARM_UP)
        sys.setprofile(count)
        before = next(counter)
        await serve(app, name, requests)
        sys.setprofile(None)
        return {"calls": (next(counter) - before) / requests}


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
    """Serve requests, and export their telemetry."""
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
    """Return the ASGI scope of the request."""
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
    name, variant, requests, unit = sys.argv[1:5]
    measure = {"cpu": cpu, "calls": calls}[unit]
    found = asyncio.run(measure(application(name, variant), name, int(requests)))
    print(json.dumps(found))  # noqa: T201 - the result
