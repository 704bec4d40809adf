"""What the process is asked at each export, and at no other time: queue, pool, connections."""

from collections.abc import Callable, Iterable, Iterator

import psutil
from opentelemetry import metrics
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics import CallbackOptions, Observation
from redis import Redis
from redis.exceptions import RedisError

from app.database import Database

Read = Callable[[], Iterable[Observation]]
meter = metrics.get_meter(__name__)


def observe_pool(database: Database, name: str) -> None:
    """Tell how the pool's connections stand, how many it may have, and when none was to be had."""
    pool, about = database.pool, {"db.client.connection.pool.name": name}

    def states() -> Iterator[Observation]:
        size, idle = pool.get_size(), pool.get_idle_size()
        for state, count in (("idle", idle), ("used", size - idle)):
            yield Observation(count, {**about, "db.client.connection.state": state})

    def most() -> Iterator[Observation]:
        yield Observation(pool.get_max_size(), about)

    def failures(_: CallbackOptions) -> Iterator[Observation]:
        yield Observation(database.failures, about)

    _gauge("db.client.connection.count", "{connection}", "Connections of the pool", states)
    _gauge("db.client.connection.max", "{connection}", "Connections the pool may have", most)
    meter.create_observable_counter(
        "db.client.connection.timeouts", [failures], "{timeout}", "No connection was to be had"
    )


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

    meter.create_observable_gauge(name, [callback], unit, description)
