"""Takes Alertmanager's webhooks where no pager is configured, and returns them on request.

`python -m stack.standins.notifications`, configured by RECORDER_LISTEN (127.0.0.1:9095). POST at
any path keeps a notification, GET / returns them, the oldest first. Nothing is written to disk.
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

NOTIFICATIONS = 1000  # the newest stay


class Webhook(BaseModel):
    """What has to be in Alertmanager's message; the rest is kept as it came.

    https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    """

    model_config = ConfigDict(extra="allow")

    receiver: str
    status: str
    alerts: list[dict[str, Any]]


class NotificationStore:
    """Every notification: Alertmanager's message, `at` which time, and by which `path` it came."""

    def __init__(self) -> None:
        self.received: deque[dict[str, Any]] = deque(maxlen=NOTIFICATIONS)

    async def take(self, request: Request) -> Response:
        """Keep one notification."""
        try:
            message = Webhook.model_validate_json(await request.body())
        except ValidationError:
            return PlainTextResponse("this is not an Alertmanager notification", 422)
        at = datetime.now(UTC).isoformat()
        self.received.append({"at": at, "path": request.url.path, **message.model_dump()})
        return PlainTextResponse("ok")

    async def show(self, _: Request) -> Response:
        """Answer with every notification."""
        return JSONResponse(list(self.received))


def create() -> Starlette:
    """Return the application, with nothing received yet."""
    store = NotificationStore()
    return Starlette(
        routes=[
            Route("/", store.show, methods=["GET"]),
            Route("/{path:path}", store.take, methods=["POST"]),
        ]
    )


def main() -> None:
    """Serve until told to stop; raises `UserError` on a bad variable."""
    host, port = listen_address("RECORDER_LISTEN", "127.0.0.1:9095")
    uvicorn.run(create(), host=host, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"recorder: {error}")
