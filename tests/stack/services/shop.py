"""A FastAPI service with FastAPI's own telemetry, which calls itself; the argument adds another.

`none` adds nothing; `outside` wraps it by the logfire SDK's ASGI instrumentation, `inside` has
`opentelemetry-instrumentation-fastapi` where FastAPI does not find it; `exporter` only adds the
logfire SDK's exporters.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

PORT = int(os.environ["PORT"])
ASGI = Callable[..., Awaitable[Any]]
app = FastAPI()


@app.get("/items/{item}")
async def item(item: int) -> int:
    return item


@app.get("/calls")
async def calls() -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{PORT}/calls/inner")
    return answer.status_code


@app.get("/calls/inner")
async def inner() -> None: ...


def hidden(stack: ASGI) -> ASGI:
    async def call(*arguments: Any) -> None:
        await stack(*arguments)

    return call


def instrumented(added: str) -> ASGI:
    HTTPXClientInstrumentor().instrument()
    if added in {"outside", "exporter"}:
        import logfire  # slow

        logfire.configure(send_to_logfire=False, console=False, distributed_tracing=True)
        if added == "outside":
            return logfire.instrument_asgi(app)  # type: ignore[arg-type]
    if added == "inside":
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app)
        build = app.build_middleware_stack
        app.build_middleware_stack = lambda: hidden(build())  # type: ignore[method-assign]
    return app


uvicorn.run(instrumented(sys.argv[1]), port=PORT, log_level="warning")
