"""HTTP to this machine, past any proxy that the environment names.

Go's programs never use a proxy for loopback, but Python's clients do (urllib and requests read
`HTTP_PROXY`, httpx `ALL_PROXY` too) unless `NO_PROXY` lists it.
"""

import ipaddress
import urllib.request
from http.client import HTTPResponse
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine; a URL that cannot be parsed does not."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_url(request: str | urllib.request.Request, timeout: float) -> HTTPResponse:
    """Open an http URL, on loopback without a proxy; `timeout` is in seconds.

    Raises:
        OSError: no answer, or a status of 400 or more (`urllib.error.HTTPError`).
    """
    url = request if isinstance(request, str) else request.full_url
    handlers = [urllib.request.ProxyHandler({})] if is_loopback(url) else []
    answer: HTTPResponse = urllib.request.build_opener(*handlers).open(request, timeout=timeout)
    return answer
