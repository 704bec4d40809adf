"""The Logfire stand-in as a process, for tests and the pipeline."""

import sys
from datetime import timedelta
from typing import Any

from otelcol_runner.ports import accepts, place
from otelcol_runner.process import Process

from stack.clients import http
from stack.clients.logfire import Logfire
from stack.paths import ROOT
from stack.standins.logfire import READ_TOKEN, WRITE_TOKEN


class StandIn(Process):
    """The Logfire stand-in on loopback.

    Args:
        port: the port for OTLP over HTTP, queries and `/control`.
        write_token: the token that exporters must send.
        read_token: the token that queries must send.
        rows: the maximum number of rows in each table.
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
        self.url = f"http://{place(port)}"
        self.write_token, self.read_token = write_token, read_token
        self.client, self.logfire = (
            http.client(self.url, base_url=self.url),
            Logfire(self.url, read_token),
        )
        super().__init__(
            "stand-in",
            [sys.executable, "-m", "stack.standins.logfire"],
            env={
                "STAND_IN_LISTEN": place(port),
                "LOGFIRE_TOKEN": write_token,
                "LOGFIRE_READ_TOKEN": read_token,
                "STAND_IN_ROWS": str(rows),
                "PYDANTIC_DISABLE_PLUGINS": "__all__",  # starts 0.5 s faster
            },
            cwd=ROOT,
            ready=lambda: accepts(port),
        )

    def close(self) -> None:
        self.client.close()
        self.logfire.client.close()
        super().close()

    def fault(self, **faults: object) -> None:
        """Replace all faults by these (fields of `Faults`); without any, it works normally."""
        self.client.put("/control", json=faults).raise_for_status()

    def reset(self) -> None:
        self.client.delete("/control").raise_for_status()

    def counts(self) -> dict[str, int]:
        """Return what arrived: spans, logs, metric_points, requests, refused, ..."""
        counts: dict[str, int] = self.client.get("/control").json()["counts"]
        return counts

    def query(self, sql: str, *, since: timedelta = timedelta(days=1)) -> list[dict[str, Any]]:
        """Return the rows of a query; raises `UserError` with the query engine's message."""
        return self.logfire.rows(sql, since=since, limit=10_000)
