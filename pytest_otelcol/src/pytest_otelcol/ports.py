"""Free TCP ports on loopback."""

import socket


def free_port() -> int:
    """Return a port nobody listens on now.

    Bound and released: the kernel hands out ephemeral ports in turn, so that two calls in a row,
    in this process or another, do not get the same one.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0
