"""Free TCP ports on loopback."""

import atexit
import random
import socket
import threading
from collections import deque

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


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether anything accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0
