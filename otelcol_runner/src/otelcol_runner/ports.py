"""TCP ports on loopback: free ones, and addresses."""

import atexit
import ipaddress
import random
import socket
import threading
from collections import deque
from typing import Self

# Below the range from which the kernel takes a port for every outgoing connection (32768 on
# Linux, 49152 elsewhere): one of those can be gone between the choice and the bind.
CHOICE = range(10_000, 32_000)
# A port is ours while we hold the UDP socket of the same number, which does not block TCP. Only
# ports not yet bound need the lease, so the oldest ones can be released.
_leases: deque[socket.socket] = deque(maxlen=200)
_one_at_a_time = threading.Lock()  # for threads; a full queue would drop an open socket


@atexit.register
def _close_leases() -> None:
    for lease in _leases:
        lease.close()


def free_port() -> int:
    """Return a port that nobody listens on and that this function gave to no other process.

    Raises `OSError` if a thousand tries found none.
    """
    for number in random.choices(CHOICE, k=1000):  # noqa: S311 - no secret
        lease = socket.socket(type=socket.SOCK_DGRAM)
        try:
            lease.bind(("127.0.0.1", number))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", number))
        except OSError:
            lease.close()
            continue
        _keep(lease)
        return number
    raise OSError(f"no free port from {CHOICE.start} to {CHOICE.stop - 1} on 127.0.0.1")


def _keep(lease: socket.socket) -> None:
    with _one_at_a_time:
        if len(_leases) == _leases.maxlen:
            _leases.popleft().close()
        _leases.append(lease)


class Port(int):
    """A port with the loopback address that it is on: 127.0.0.1, or ::1 where that is said."""

    host: str

    def __new__(cls, number: int, host: str = "127.0.0.1") -> Self:
        """Return the port, on an address without brackets."""
        port = super().__new__(cls, number)
        port.host = host
        return port


def host_of(port: int) -> str:
    """Return the address that a port is on, 127.0.0.1 for a plain number."""
    return port.host if isinstance(port, Port) else "127.0.0.1"


def place(port: int) -> str:
    """Return "host:port" as URLs and listeners have it: an IPv6 host is in brackets."""
    host = host_of(port)
    return f"[{host}]:{port:d}" if ":" in host else f"{host}:{port:d}"


def parse_place(text: str) -> tuple[str, int]:
    """Return host and port of "host:port", ":port" or "port"; brackets are for IPv6 hosts only.

    Raises:
        ValueError: it is none of them, or the port is above 65535.
    """
    host, _, number = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        ipaddress.IPv6Address(host)
    elif set(host) & set(":[]"):
        raise ValueError(f"{text} needs brackets around its IPv6 host")
    if not (number.isascii() and number.isdigit()) or int(number) > 65535:
        raise ValueError(f"{text} has no port")
    return host, int(number)


def accepts(port: int, host: str = "") -> bool:
    """Return whether anything accepts connections on the port, by default on its own address."""
    try:
        socket.create_connection((host or host_of(port), int(port)), timeout=0.5).close()
    except OSError:
        return False
    return True
