"""What the process is asked at each export, and at no other time: queue, pool, connections."""

from collections.abc import Callable, Iterable, Iterator

import asyncpg
import psutil
from opentelemetry import metrics
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics import CallbackOptions, Observation
from redis import Redis
from redis.exceptions import RedisError

Read = Callable[[], Iterable[Observation]]


def observe_pool(pool: "asyncpg.Pool[asyncpg.Record]", name: str) -> None:
    """Tell how many of the pool's connections are idle and used."""

    def read() -> Iterator[Observation]:
        size, idle = pool.get_size(), pool.get_idle_size()
        for state, count in (("idle", idle), ("used", size - idle)):
            yield Observation(
                count,
                {"db.client.connection.pool.name": name, "db.client.connection.state": state},
            )

    _gauge("db.client.connection.count", "{connection}", "Connections of the pool", read)


def observe_queue(redis: Redis, queue: str) -> None:
    """Tell how many tasks are not done. `redis` needs short timeouts: the export waits for it."""

    def read() -> Iterator[Observation]:
        try:
            with suppress_instrumentation():
                depth = redis.xlen(queue)
        except RedisError:
            return  # a gap in the series says more than a zero
        yield Observation(depth, {"messaging.destination.name": queue})

    _gauge("messaging.queue.depth", "{message}", "Tasks that are not done", read)


def observe_open_connections() -> None:
    """Tell how many clients are connected to the ports this process listens on."""
    process = psutil.Process()

    def read() -> Iterator[Observation]:
        sockets = process.net_connections(kind="tcp")
        ports = {s.laddr.port for s in sockets if s.status == psutil.CONN_LISTEN}
        clients = (s for s in sockets if s.status == psutil.CONN_ESTABLISHED)
        yield Observation(sum(s.laddr.port in ports for s in clients))

    _gauge("http.server.open_connections", "{connection}", "Clients connected to the server", read)


def _gauge(name: str, unit: str, description: str, read: Read) -> None:
    def callback(_: CallbackOptions) -> Iterable[Observation]:
        return list(read())

    meter = metrics.get_meter(__name__)
    meter.create_observable_gauge(name, [callback], unit, description)
