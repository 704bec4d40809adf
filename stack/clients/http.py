"""HTTP clients that reach this machine directly, and others through the proxy that is set.

A client on loopback ignores `HTTP_PROXY`, `ALL_PROXY` and the like; all others use them.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import httpx
from otelcol_runner.loopback import is_loopback

from stack.errors import UserError

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)
UNUSABLE = (
    "the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used ({}): set it to "
    "http://host:port, or unset it"
)


def client(url: str, **options: Any) -> httpx.Client:
    """Return a client for one place, with httpx' options; raises `UserError` for a bad proxy."""
    return created(httpx.Client, url, options)


def async_client(url: str, **options: Any) -> httpx.AsyncClient:
    """Return the same for asynchronous code."""
    return created(httpx.AsyncClient, url, options)


def created(kind: Callable[..., Client], url: str, options: dict[str, Any]) -> Client:
    try:
        return kind(trust_env=not is_loopback(url), **options)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise UserError(UNUSABLE.format(reason(error))) from None


def reason(error: Exception) -> str:
    """Return why a proxy is refused, without its URL, which may hold a password."""
    return "SOCKS" if isinstance(error, ImportError) else "it is not a URL"


def get(url: str, **options: Any) -> httpx.Response:
    """Send one GET; raises what `client` and httpx raise."""
    with client(url) as one:
        return one.get(url, **options)


def post(url: str, **options: Any) -> httpx.Response:
    """Send one POST; raises what `client` and httpx raise."""
    with client(url) as one:
        return one.post(url, **options)
