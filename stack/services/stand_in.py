"""The Logfire stand-in as a process."""

import sys
from datetime import timedelta
from typing import Any

import httpx
from otelcol_runner.ports import accepts
from otelcol_runner.process import Process

from stack.clients.logfire import Logfire
from stack.paths import ROOT
from stack.standins.logfire import READ_TOKEN, WRITE_TOKEN


class StandIn(Process):
    """The Logfire stand-in on loopback.

    Args:
        port: where it takes OTLP over HTTP, queries and `/control`.
        write_token: what senders must show.
        read_token: what queries must show.
        rows: how many rows each table keeps.
    """

    def __init__(
        self,
        port: int,
        *,
        write_token: str = WRITE_TOKEN,
        read_token: str = READ_TOKEN,
        rows: int = 100_000,
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.write_token, self.read_token = write_token, read_token
        self.client, self.logfire = httpx.Client(base_url=self.url), Logfire(self.url, read_token)
        super().__init__(
            "stand-in",
            [sys.executable, "-m", "stack.standins.logfire"],
            env={
                "STAND_IN_LISTEN": f"127.0.0.1:{port}",
                "LOGFIRE_TOKEN": write_token,
                "LOGFIRE_READ_TOKEN": read_token,
                "STAND_IN_ROWS": str(rows),
                "PYDANTIC_DISABLE_PLUGINS": "__all__",  # half a second where the SDK is installed
            },
            cwd=ROOT,
            ready=lambda: accepts(port),
        )

    def close(self) -> None:
        """Stop it, and let go of the connections to it."""
        self.client.close()
        self.logfire.client.close()
        super().close()

    def fault(self, **faults: object) -> None:
        """Set these faults (fields of `Faults`) and no others; none means it works."""
        self.client.put("/control", json=faults).raise_for_status()

    def reset(self) -> None:
        """Forget faults, rows and counts."""
        self.client.delete("/control").raise_for_status()

    def counts(self) -> dict[str, int]:
        """Return what arrived: spans, logs, metric_points, requests, refused, ..."""
        counts: dict[str, int] = self.client.get("/control").json()["counts"]
        return counts

    def query(self, sql: str, *, since: timedelta = timedelta(days=1)) -> list[dict[str, Any]]:
        """Return the rows of a query; raises `UserError` with the engine's sentence."""
        return self.logfire.rows(sql, since=since, limit=10_000)
