"""Reads a server's listen address from a variable: `host:port`."""

import os

from otelcol_runner.ports import parse_place

from stack.errors import UserError


def listen_address(variable: str, default: str) -> tuple[str, int]:
    """Return host and port from the variable; an IPv6 host is written in brackets.

    Raises:
        UserError: the value is not an address.
    """
    text = os.environ.get(variable) or default
    try:
        host, port = parse_place(text)
    except ValueError:
        host = ""
    if not host:
        raise UserError(f"{variable}={text} is not an address: set it to host:port")
    return host, port
