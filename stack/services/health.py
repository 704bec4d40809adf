"""The readiness check of servers with HTTP."""

import urllib.request


def answers(url: str) -> bool:
    """Return whether the URL answers with a 2xx status; raises `OSError` for errors."""
    with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own http URLs
        return bool(200 <= response.status < 300)
