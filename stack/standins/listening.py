"""Where a server of ours that runs as a process listens: one variable, `host:port`."""

import os

from stack.errors import UserError


def listen_address(variable: str, default: str) -> tuple[str, int]:
    """Return host and port of the variable's value; an IPv6 host stands in brackets.

    Raises:
        UserError: it is no address.
    """
    text = os.environ.get(variable) or default
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UserError(f"{variable} must be host:port, not {text!r}")
    return host.strip("[]"), int(port)
