"""The API's errors in sentences: responses to bad requests and for lost servers, a failed start."""

import logging
import sys
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import SERVER_LOST_ERRORS, ServerLostError, reason, server_of

logger = logging.getLogger(__name__)


class Refusal(BaseModel):
    """An error response: one sentence in `detail`."""

    detail: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "The body is not JSON"},
    404: {"model": Refusal, "description": "Not found"},
    413: {"model": Refusal, "description": "The body is too large"},
    422: {"model": Refusal, "description": "The request is not valid"},
    503: {"model": Refusal, "description": "Postgres or Redis does not answer"},
}
UNREADABLE = (400, 413)


def refusals(*, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the error responses to document for an operation, with or without a request body."""
    return {code: about for code, about in REFUSALS.items() if body or code not in UNREADABLE}


class BodyLimit:
    """Rejects bodies above `max_bytes` with 413 before they are in memory."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            part = await receive()
            taken += len(part.get("body", b""))
            if taken > self.max_bytes:
                message = f"the request body is too large: send at most {self.max_bytes} bytes"
                raise HTTPException(413, message)
            return part

        await self.app(scope, limited if scope["type"] == "http" else receive, send)


class PlainStart:
    """Gives the server that runs the API one sentence to log, in place of a traceback.

    For a start that fails with `ServerLostError`; other errors keep their traceback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def said(message: Message) -> None:
            error = sys.exception()  # the framework sends this message where it handles the error
            if message["type"] == "lifespan.startup.failed" and isinstance(error, ServerLostError):
                message = {**message, "message": str(error)}
            await send(message)

        await self.app(scope, receive, said if scope["type"] == "lifespan" else send)


def add_refusals(app: FastAPI) -> None:
    """Register the handlers for bad requests, lost servers, and unexpected errors."""
    app.add_exception_handler(RequestValidationError, bad_request)
    for error in SERVER_LOST_ERRORS:
        app.add_exception_handler(error, server_lost)
    app.add_exception_handler(Exception, unexpected)


def bad_request(_: Request, error: Exception) -> JSONResponse:
    """Answer 422 with one sentence that names every bad field."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    parts = [f"{'.'.join(map(str, p['loc']))}: {plain(p['msg'])}" for p in problems]
    return JSONResponse({"detail": f"the request is not valid: {'; '.join(parts)}"}, 422)


def plain(message: str) -> str:
    """Return a validator's message without its prefix and its capital."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def server_lost(_: Request, error: Exception) -> JSONResponse:
    """Answer 503 with the server's kind; its address stays in the log."""
    server = server_of(error)
    logger.warning("Server lost", extra={"server": server, "reason": reason(error)})
    return JSONResponse({"detail": f"{server} is not available now: try again later"}, 503)


def unexpected(_: Request, error: Exception) -> JSONResponse:
    """Answer 500; the exception is in the log and on the span."""
    logger.error("Unexpected error", exc_info=error)
    return JSONResponse({"detail": "internal error: the server's log has the details"}, 500)
