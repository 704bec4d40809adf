"""One cluster at a time: its addresses, its interface and its cgroups have fixed names."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from stack.errors import UserError
from tests.cluster.machine.addresses import NAME

TAKEN = (
    "another cluster of these tests runs on this machine, or is ending: wait for it, or end it "
    "(Ctrl-C where it was started)"
)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the machine's lock. Raises `UserError` where another process has it.

    It is a socket's name in Linux' abstract namespace, which the kernel frees with its process.
    """
    with socket.socket(socket.AF_UNIX) as lock:
        try:
            lock.bind(f"\0{NAME}")
        except OSError:
            raise UserError(TAKEN) from None
        yield
