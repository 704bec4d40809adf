"""Observable metrics, read at each export: queue depth, connection pool, open connections."""

from collections.abc import Callable, Iterable, Iterator

import psutil
from opentelemetry import metrics
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics import CallbackOptions, Observation
from redis import Redis
from redis.exceptions import RedisError

from app.tasks.database import Database

Read = Callable[[], Iterable[Observation]]
meter = metrics.get_meter(__name__)


def observe_pool(database: Database, name: str) -> None:
    """Report the pool's connections by state, its maximum, and its acquire timeouts."""
    pool, attributes = database.pool, {"db.client.connection.pool.name": name}

    def states() -> Iterator[Observation]:
        size, idle = pool.get_size(), pool.get_idle_size()
        for state, count in (("idle", idle), ("used", size - idle)):
            yield Observation(count, {**attributes, "db.client.connection.state": state})

    def maximum() -> Iterator[Observation]:
        yield Observation(pool.get_max_size(), attributes)

    def failures(_: CallbackOptions) -> Iterator[Observation]:
        yield Observation(database.acquire_failures, attributes)

    _gauge("db.client.connection.count", "{connection}", "Connections of the pool", states)
    _gauge("db.client.connection.max", "{connection}", "Connections the pool may have", maximum)
    meter.create_observable_counter(
        "db.client.connection.timeouts", [failures], "{timeout}", "Acquires that timed out"
    )


def observe_queue(redis: Redis, queue: str) -> None:
    """Report the tasks that are not done. `redis` needs short timeouts: the export waits for it."""

    def read() -> Iterator[Observation]:
        try:
            with suppress_instrumentation():
                depth = redis.xlen(queue)
        except RedisError:
            return  # no data is better than a wrong zero
        yield Observation(depth, {"messaging.destination.name": queue})

    _gauge("messaging.queue.depth", "{message}", "Tasks that are not done", read)


def observe_open_connections() -> None:
    """Report how many clients are connected to the ports this process listens on."""
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
