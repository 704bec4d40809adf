"""Logfire's alerts, evaluated as `agentical alerts` does: the stand-in does not do so by itself."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from alerts.model import Alert, Links, matrix
from alerts.queries import evaluated
from stack.clients.evaluation import firing
from stack.clients.logfire import Logfire, ReadTokenError, Row, UnreachableError
from stack.errors import UserError

LIFETIME = 30.0  # seconds that a result is reused; half of the shortest frequency
Json = dict[str, Any]


class Evaluation:
    """The latest evaluation; there is one at a time."""

    def __init__(self, endpoint: str, token: str) -> None:
        self.endpoint, self.token = endpoint, token
        self.turn = asyncio.Lock()
        self.until = 0.0
        self.found: list[Json] = []

    async def current(self) -> list[Json]:
        """Return each alert with its rows, or with why it could not be evaluated."""
        async with self.turn:
            if time.monotonic() >= self.until:
                self.found = await run_in_threadpool(evaluate, self.endpoint, self.token)
                self.until = time.monotonic() + LIFETIME
            return self.found


def evaluate(endpoint: str, token: str) -> list[Json]:
    """Evaluate all alerts; once Logfire is away or refuses the token, the rest is not asked."""
    table = matrix()
    error: UserError | None = None
    found = []
    with Logfire(endpoint, token) as logfire:
        for alert in table.alerts:
            if alert.logfire is None:
                continue
            rows: list[Row] = []
            if not isinstance(error, (UnreachableError, ReadTokenError)):
                error = None
                try:
                    rows = firing(logfire, alert)
                except UserError as raised:
                    error = raised
            found.append(as_json(alert, table.links, rows, error))
    return found


def as_json(alert: Alert, links: Links, rows: list[Row], error: UserError | None) -> Json:
    query = evaluated(alert)
    return {
        "name": alert.name,
        "severity": alert.severity,
        "means": alert.means,
        "action": alert.action,
        "firing": bool(rows),
        "rows": rows,
        "evaluated": datetime.now(UTC).isoformat(),
        "runbook_url": links.runbook(alert.name),
        "dashboard_url": f"/d/{alert.dashboard}",  # of this page
        "frequency": query.frequency,
        "window": query.window,
        "error": str(error) if error else None,
    }
