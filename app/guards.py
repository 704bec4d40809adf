"""What keeps telemetry from hurting the service, and requests from each other's traces."""

import logging
import threading
import time

from opentelemetry import context
from opentelemetry.context import Context
from starlette.types import ASGIApp, Receive, Scope, Send

SECONDS_BETWEEN_WARNINGS = 60.0


class FreshContext:
    """Serves each request outside of any trace, so that only its headers name its parent.

    asyncio resumes reading a connection in the context of whoever asks for it. A server does so
    inside the request that has a large body, and the connection's next requests would become
    parts of that request's trace.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        token = context.attach(Context())
        try:
            await self.app(scope, receive, send)
        finally:
            context.detach(token)


def quieten_exporters() -> None:
    """Keep OpenTelemetry's own records out of the export, and to one a minute on stderr."""
    own = logging.getLogger("opentelemetry")
    if own.propagate:
        own.propagate = False
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        handler.addFilter(OncePerInterval(SECONDS_BETWEEN_WARNINGS))
        own.addHandler(handler)


class OncePerInterval(logging.Filter):
    """Lets one record through every `seconds`, and says with the next how many it held back."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open_at = 0.0
        self._held = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide about one record."""
        with self._lock:
            now = time.monotonic()
            if now < self._open_at:
                self._held += 1
                return False
            held, self._held, self._open_at = self._held, 0, now + self._seconds
        if held:
            record.msg, record.args = f"{record.getMessage()} ({held} more before)", ()
        return True
