"""How the API says no: a status and a sentence, for bad requests and for lost servers."""

import logging
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import LOST_SERVER, lost_server, reason

logger = logging.getLogger(__name__)


class Refusal(BaseModel):
    """Why a request was not done, in a sentence."""

    detail: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "The body is no JSON"},
    404: {"model": Refusal, "description": "There is none"},
    413: {"model": Refusal, "description": "The body is too large"},
    422: {"model": Refusal, "description": "The request is not valid"},
    503: {"model": Refusal, "description": "A server is lost"},
}
UNREADABLE = (400, 413)


def refusals(*, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the documented refusals of an operation, with those of a body where it has one."""
    return {code: about for code, about in REFUSALS.items() if body or code not in UNREADABLE}


class BodyLimit:
    """Refuses bodies above `most` bytes with 413 before they are in memory."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.most:
                sentence = f"the request is too large: its body may have {self.most} bytes at most"
                raise HTTPException(413, sentence)
            return message

        await self.app(scope, limited if scope["type"] == "http" else receive, send)


def add_refusals(app: FastAPI) -> None:
    """Register the answers to bad requests, lost servers, and what nobody foresaw."""
    app.add_exception_handler(RequestValidationError, bad_request)
    for error in LOST_SERVER:
        app.add_exception_handler(error, server_lost)
    app.add_exception_handler(Exception, unforeseen)


def bad_request(_: Request, error: Exception) -> JSONResponse:
    """Answer 422 with one sentence that names each field."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    parts = [f"{'.'.join(map(str, p['loc']))}: {plain(p['msg'])}" for p in problems]
    return JSONResponse({"detail": f"the request is not valid: {'; '.join(parts)}"}, 422)


def plain(message: str) -> str:
    """Turn a validator's message into a part of a sentence."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def server_lost(_: Request, error: Exception) -> JSONResponse:
    """Answer 503 with the server that is lost; its name and address stay in the log."""
    server = lost_server(error)
    logger.warning("Server lost", extra={"server": server, "reason": reason(error)})
    return JSONResponse({"detail": f"{server} does not answer now: try again later"}, 503)


def unforeseen(_: Request, error: Exception) -> JSONResponse:
    """Answer 500; the exception is in the log and on the span."""
    logger.error("Unforeseen error", exc_info=error)
    return JSONResponse({"detail": "something went wrong here, and was noted"}, 500)
