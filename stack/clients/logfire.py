"""Client for Logfire's query API, at the service or the stand-in."""

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
from otelcol_runner.loopback import is_loopback

from stack.clients import http
from stack.errors import UserError
from stack.secrets import address, secret
from stack.standins.logfire import READ_TOKEN

LOCAL_ENDPOINT = "http://127.0.0.1:4320"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
Row = dict[str, Any]


class UnreachableError(UserError):
    """Nothing answers at an address."""


class ReadTokenError(UserError):
    """The read token was rejected."""


class Logfire:
    """The query API at one endpoint."""

    def __init__(self, endpoint: str, token: str, *, timeout: float = 30.0) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.local = is_loopback(endpoint)
        self.clock_offset: float | None = None  # seconds its clock is ahead, by the last response
        headers = {"authorization": f"Bearer {token}"}
        self.client = http.client(endpoint, headers=headers, timeout=timeout)

    @classmethod
    def from_environment(cls, *, timeout: float = 30.0) -> Self:
        """Return the API that the environment names; raises `UserError` if the token is not set."""
        return cls(*endpoint_and_token(os.environ), timeout=timeout)

    def rows(self, sql: str, *, since: timedelta, limit: int = 100) -> list[Row]:
        """Return the rows of a query over the last `since`.

        Raises:
            UnreachableError: the endpoint does not answer.
            ReadTokenError: the token was rejected.
            UserError: the query was rejected; the message is the query engine's.
        """
        body = {
            "sql": sql,
            "min_timestamp": (datetime.now(UTC) - since).isoformat(),
            "limit": limit,
        }
        try:
            response = self.client.post(f"{self.endpoint}/v2/query", json=body)
        except httpx.InvalidURL as error:
            raise UserError(
                f"LOGFIRE_QUERY_ENDPOINT={self.endpoint} is not a URL: {error}"
            ) from None
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"cannot reach the query API at {self.endpoint} ({error}): "
                "start it, or set LOGFIRE_QUERY_ENDPOINT"
            ) from None
        self.clock_offset = clock_offset(response)
        if response.status_code != 200:
            raise error_of(self.endpoint, response)
        rows: list[Row] = response.json()["data"]
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()


def endpoint_and_token(variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the query API that variables name, and its read token; raises `UserError`."""
    endpoint = address(variables, "LOGFIRE_QUERY_ENDPOINT", LOCAL_ENDPOINT)
    token = secret(variables, "LOGFIRE_READ_TOKEN")
    if not token and is_loopback(endpoint):
        token = READ_TOKEN
    if not token:
        raise UserError(
            f"set LOGFIRE_READ_TOKEN to a read token of the project at {endpoint} "
            "(Logfire: project settings, read tokens)"
        )
    return endpoint, token


def error_of(endpoint: str, response: httpx.Response) -> UserError:
    if response.status_code in {401, 403}:
        return ReadTokenError(
            f"{endpoint} rejected the read token ({response.status_code}): set LOGFIRE_READ_TOKEN "
            "to a read token of this project and region"
        )
    return UserError(f"{endpoint} answered {response.status_code}: {detail(response)}")


def detail(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text.strip()[:500] or "no reason given"
    message = body.get("detail", body) if isinstance(body, dict) else body
    return message if isinstance(message, str) else json.dumps(message)


def clock_offset(response: httpx.Response) -> float | None:
    """Return how many seconds the sender's clock is ahead of ours, from its Date header."""
    try:
        sent = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    return (sent - datetime.now(UTC)).total_seconds()


def duration(text: str) -> timedelta:
    """Parse a duration such as "90s", "15m", "1h" or "7d"; raises `UserError`."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if found is None:
        raise UserError(f"{text!r} is not a duration: write 90s, 15m, 1h or 7d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})
