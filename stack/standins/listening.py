"""Reads a server's listen address from a variable: `host:port`."""

import os
from urllib.parse import urlsplit

from stack.errors import UserError


def listen_address(variable: str, default: str) -> tuple[str, int]:
    """Return host and port from the variable; an IPv6 host is written in brackets.

    Raises:
        UserError: the value is not an address.
    """
    text = os.environ.get(variable) or default
    try:
        found = urlsplit(f"//{text}")
        host, port = found.hostname, found.port
    except ValueError:
        host = port = None
    if not host or port is None or found.netloc != text or found.username is not None:
        raise UserError(f"{variable}={text} is not an address: set it to host:port")
    return host, port
