"""Liveness probe for the worker: `python -m app.alive`.

A worker has no port to probe, so this asks Redis when a worker on this host last polled the queue.
A worker that is busy with a long task counts too: it renews its lease.
"""

import re
import socket
import sys

from redis import RedisError, ResponseError

from app.connections import gauge_client
from app.settings import Settings, load
from app.tasks.queue import GROUP


def seconds_since_poll(settings: Settings) -> float | None:
    """Return the seconds since a worker on this host last polled; None if Redis is unreachable.

    Without Redis nothing is known, and the worker is right to wait for it.
    """
    mine = re.compile(rf"{re.escape(socket.gethostname())}-[0-9a-f]{{8}}")
    try:
        consumers = gauge_client(settings).xinfo_consumers(settings.task_queue, GROUP)
    except ResponseError:
        return float("inf")  # the queue does not exist, so nobody has polled it
    except RedisError:
        return None
    idle = [each["idle"] for each in consumers if mine.fullmatch(each["name"].decode())]
    return min(idle, default=float("inf")) / 1000


def main() -> None:
    """Exit with 1 if no worker has polled for longer than a task's lease."""
    settings = load()
    seconds = seconds_since_poll(settings)
    if seconds is not None and seconds > settings.task_lease_seconds:
        sys.exit(
            f"no worker on this host has polled the queue for {settings.task_lease_seconds:g} s"
        )


if __name__ == "__main__":
    main()
