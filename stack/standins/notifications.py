"""Receives Alertmanager's webhooks if no pager is configured, and returns them on request.

`python -m stack.standins.notifications`, configured by RECORDER_LISTEN (127.0.0.1:9095). POST to
any path stores a notification, GET / returns all, the oldest first. Nothing is written to disk.
"""

import sys
from collections import deque
from datetime import UTC, datetime
from typing import Any

import uvicorn
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from stack.errors import UserError
from stack.standins.listening import listen_address

MAX_NOTIFICATIONS = 1000  # the newest are kept


class Webhook(BaseModel):
    """The required fields of Alertmanager's message; other fields are kept unchanged.

    https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    """

    model_config = ConfigDict(extra="allow")

    receiver: str
    status: str
    alerts: list[dict[str, Any]]


class NotificationStore:
    """The received notifications: Alertmanager's message, with the time (`at`) and the `path`."""

    def __init__(self) -> None:
        self.received: deque[dict[str, Any]] = deque(maxlen=MAX_NOTIFICATIONS)

    async def take(self, request: Request) -> Response:
        try:
            message = Webhook.model_validate_json(await request.body())
        except ValidationError:
            return PlainTextResponse("the body is not an Alertmanager notification", 422)
        at = datetime.now(UTC).isoformat()
        self.received.append({"at": at, "path": request.url.path, **message.model_dump()})
        return PlainTextResponse("ok")

    async def show(self, _: Request) -> Response:
        return JSONResponse(list(self.received))


def create() -> Starlette:
    store = NotificationStore()
    return Starlette(
        routes=[
            Route("/", store.show, methods=["GET"]),
            Route("/{path:path}", store.take, methods=["POST"]),
        ]
    )


def main() -> None:
    """Serve until stopped; raises `UserError` for a bad variable."""
    host, port = listen_address("RECORDER_LISTEN", "127.0.0.1:9095")
    uvicorn.run(create(), host=host, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"recorder: {error}")
