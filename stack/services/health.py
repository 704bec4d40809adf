"""Whether a server answers over HTTP."""

import urllib.request


def answers(url: str) -> bool:
    """Tell whether the URL answers with a success; raises `OSError` when it does not."""
    with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own http URLs
        return bool(200 <= response.status < 300)
