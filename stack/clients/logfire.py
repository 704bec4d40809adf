"""`agentical query`: SQL on the Logfire side, the service or the stand-in, over plain HTTP."""

import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import httpx
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.errors import UserError
from stack.standins.logfire import READ_TOKEN

LOCAL_ENDPOINT = "http://127.0.0.1:4320"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
Row = dict[str, Any]


class UnreachableError(UserError):
    """Nobody answers at an address."""


class ReadTokenError(UserError):
    """The read token was refused."""


class Logfire:
    """The query API at an endpoint."""

    def __init__(self, endpoint: str, token: str, *, timeout: float = 30.0) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.local = is_local(endpoint)
        self.clock_offset: float | None = None  # seconds its clock is ahead, from the last answer
        headers = {"authorization": f"Bearer {token}"}
        self.client = httpx.Client(headers=headers, timeout=timeout)

    @classmethod
    def from_environment(cls, *, timeout: float = 30.0) -> Self:
        """Return the API that the variables name; raises `UserError` when the token is not set."""
        endpoint = os.environ.get("LOGFIRE_QUERY_ENDPOINT") or LOCAL_ENDPOINT
        token = os.environ.get("LOGFIRE_READ_TOKEN") or ""
        if not token and is_local(endpoint):
            token = READ_TOKEN
        if not token:
            raise UserError(
                f"set LOGFIRE_READ_TOKEN to a read token of the project at {endpoint} "
                "(Logfire: project settings, read tokens)"
            )
        return cls(endpoint, token, timeout=timeout)

    def rows(self, sql: str, *, since: timedelta, limit: int = 100) -> list[Row]:
        """Return the rows of a query on what happened in the last `since`.

        Raises:
            UnreachableError: nobody answers.
            ReadTokenError: the token was refused.
            UserError: the query was refused; the message is the engine's.
        """
        body = {
            "sql": sql,
            "min_timestamp": (datetime.now(UTC) - since).isoformat(),
            "limit": limit,
        }
        try:
            response = self.client.post(f"{self.endpoint}/v2/query", json=body)
        except httpx.InvalidURL as error:
            raise UserError(f"LOGFIRE_QUERY_ENDPOINT={self.endpoint} is no URL: {error}") from None
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"the query API at {self.endpoint} was not reached ({error}): "
                "start it, or set LOGFIRE_QUERY_ENDPOINT"
            ) from None
        self.clock_offset = clock_offset(response)
        if response.status_code != 200:
            raise refusal(self.endpoint, response)
        rows: list[Row] = response.json()["data"]
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()


def is_local(endpoint: str) -> bool:
    """Tell whether an endpoint is on this machine: the stand-in, then."""
    return urlsplit(endpoint).hostname in {"127.0.0.1", "localhost", "::1"}


def refusal(endpoint: str, response: httpx.Response) -> UserError:
    """Return the error for an answer that is not a success."""
    if response.status_code in {401, 403}:
        return ReadTokenError(
            f"{endpoint} refused the read token ({response.status_code}): set LOGFIRE_READ_TOKEN "
            "to a read token of this project and region"
        )
    return UserError(f"{endpoint} answered {response.status_code}: {detail(response)}")


def detail(response: httpx.Response) -> str:
    """Return what an error's body says."""
    try:
        body = response.json()
    except ValueError:
        return response.text.strip()[:500] or "no reason given"
    said = body.get("detail", body) if isinstance(body, dict) else body
    return said if isinstance(said, str) else json.dumps(said)


def clock_offset(response: httpx.Response) -> float | None:
    """Return how many seconds the sender's clock is ahead of ours, by its Date header."""
    try:
        sent = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    return (sent - datetime.now(UTC)).total_seconds()


def duration(text: str) -> timedelta:
    """Return "90s", "15m", "1h" or "7d" as a time span; raises `UserError`."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if found is None:
        raise UserError(f"{text!r} is no time span: write 90s, 15m, 1h or 7d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def query(
    sql: Annotated[str, typer.Argument(help="A SELECT on the tables records and metrics.")],
    since: Annotated[str, typer.Option(help="How far to look back: 90s, 15m, 1h, 7d.")] = "1h",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Run SQL on the Logfire side: the service, or the local stand-in."""
    span = duration(since)
    with Logfire.from_environment() as logfire:
        rows = logfire.rows(sql, since=span, limit=limit)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif rows:
        # Piped, no terminal's width may break a cell.
        Console(width=None if sys.stdout.isatty() else 10_000).print(as_table(rows))
    else:
        typer.echo(f"no rows in the last {since}")


def as_table(rows: list[Row]) -> Table:
    """Return the rows as a table; what is nested as JSON."""
    table = Table()
    for name in rows[0]:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text(shown(value)) for value in row.values()))
    return table


def shown(value: object) -> str:
    """Return a value as a cell shows it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
