"""The readiness check of servers with HTTP."""

from otelcol_runner.loopback import open_url


def answers(url: str) -> bool:
    """Return whether the URL answers with a 2xx status; raises `OSError` for errors."""
    with open_url(url, timeout=2) as response:
        return 200 <= response.status < 300
