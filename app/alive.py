"""Tells whether the worker of this machine still asks the queue for work: `python -m app.alive`.

For a liveness probe, since a worker listens nowhere. A worker that runs a long task asks too.
"""

import re
import socket
import sys

from redis import RedisError, ResponseError

from app.connections import gauge_client
from app.queue import GROUP
from app.settings import Settings, load


def silence(settings: Settings) -> float | None:
    """Return the seconds since a worker of this machine asked; None: nobody can know.

    A lost Redis says nothing against the worker, which waits for it.
    """
    mine = re.compile(rf"{re.escape(socket.gethostname())}-[0-9a-f]{{8}}")
    try:
        consumers = gauge_client(settings).xinfo_consumers(settings.task_queue, GROUP)
    except ResponseError:
        return float("inf")  # there is no such queue, so nobody has asked it
    except RedisError:
        return None
    idle = [each["idle"] for each in consumers if mine.fullmatch(each["name"].decode())]
    return min(idle, default=float("inf")) / 1000


def main() -> None:
    """Exit with 1 and a sentence if the worker has been silent for longer than a task's lease."""
    settings = load()
    seconds = silence(settings)
    if seconds is not None and seconds > settings.task_lease_seconds:
        sys.exit("no worker of this machine has asked the queue lately")


if __name__ == "__main__":
    main()
