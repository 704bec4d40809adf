"""Reads a server's listen address from a variable: `host:port`."""

import os

from stack.errors import UserError


def listen_address(variable: str, default: str) -> tuple[str, int]:
    """Return host and port from the variable; an IPv6 host is written in brackets.

    Raises:
        UserError: the value is not an address.
    """
    text = os.environ.get(variable) or default
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UserError(f"{variable}={text} is not an address: set it to host:port")
    return host.strip("[]"), int(port)
