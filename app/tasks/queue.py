"""The task queue: a Redis stream with a consumer group, so a task survives its worker."""

import asyncio
import contextlib
import logging
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import SpanKind
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from app.errors import reason
from app.tasks.consumers import remove_idle
from app.tasks.handlers import Task

GROUP = "workers"
POLL_MS = 1000
# Errors of a stream or group that was removed; UNBLOCKED tells those who wait for it.
GROUP_GONE = ("NOGROUP", "UNBLOCKED")
IDLE_LEASES = 10
"""How many leases a worker without tasks is silent before its consumer is removed."""
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


@dataclass(frozen=True)
class Message:
    """A delivered task: its stream entry, its trace context, and how often it was delivered."""

    entry_id: str
    task: Task
    carrier: Mapping[str, str]
    deliveries: int = 1


class TaskQueue:
    """The stream `name`; a message whose lease (in seconds) runs out goes to another worker.

    The stream holds exactly the tasks that are not done, so its length is the queue's depth.
    """

    def __init__(self, redis: Redis, name: str, lease: float) -> None:
        self.redis = redis
        self.name = name
        self.lease = lease
        self.consumer = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._sweep_at = 0.0
        self._clean_at = 0.0

    async def send(self, task: Task) -> None:
        """Append a task, with the trace context for the worker to continue."""
        with tracer.start_as_current_span(
            f"send {self.name}", kind=SpanKind.PRODUCER, attributes=self._attributes("send", task)
        ) as span:
            entry: dict[Any, Any] = asdict(task)
            propagate.inject(entry)
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.xadd(self.name, entry)
                pipe.xlen(self.name)
                _, depth = await pipe.execute()
            span.set_attribute("messaging.queue.depth", depth)

    async def ping(self) -> None:
        await self.redis.ping()

    async def prepare(self) -> None:
        """Create the stream and its consumer group if they do not exist."""
        try:
            await self.redis.xgroup_create(self.name, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def receive(self) -> Message | None:
        """Wait up to a second for a task: one that another worker abandoned, else a new one."""
        with suppress_instrumentation():  # a poll belongs to no trace
            try:
                return await self._abandoned() or await self._next()
            except ResponseError as error:
                if not any(code in str(error) for code in GROUP_GONE):
                    raise
                await self.prepare()  # such as after FLUSHALL, or a restart without the data
                return None

    @contextmanager
    def processing(self, message: Message) -> Iterator[None]:
        """Continue the producer's trace with a CONSUMER span."""
        attributes = self._attributes("process", message.task)
        attributes["messaging.message.delivery_count"] = message.deliveries
        with tracer.start_as_current_span(
            f"process {self.name}",
            context=propagate.extract(message.carrier),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
        ):
            yield

    @asynccontextmanager
    async def leased(self, message: Message, beat: Callable[[], None]) -> AsyncIterator[None]:
        """Renew the lease while the task runs, so that no other worker takes it.

        `beat` is called at each renewal, also at one that Redis does not answer.
        """
        renewal = asyncio.create_task(self._renew_lease(message, beat))
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.wait([renewal])

    async def acknowledge(self, message: Message) -> None:
        """Acknowledge the message and delete it from the stream."""
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.xack(self.name, GROUP, message.entry_id)
            pipe.xdel(self.name, message.entry_id)
            await pipe.execute()

    async def _next(self) -> Message | None:
        found: Any = await self.redis.xreadgroup(
            GROUP, self.consumer, {self.name: ">"}, count=1, block=POLL_MS
        )
        return self._message(*found[0][1][0]) if found else None

    async def _abandoned(self) -> Message | None:
        if time.monotonic() < self._sweep_at:
            return None
        idle, cursor = int(self.lease * 1000), "0-0"
        while True:
            # It looks at ten pending tasks a call, so the first call may see running ones only.
            cursor, entries, *_ = await self.redis.xautoclaim(
                self.name, GROUP, self.consumer, min_idle_time=idle, start_id=cursor, count=1
            )
            if entries:
                entry_id, values = entries[0]
                return self._message(entry_id, values, await self._deliveries(entry_id))
            if cursor == "0-0":
                break
        self._sweep_at = time.monotonic() + self.lease / 4
        await self._clean()
        return None

    async def _deliveries(self, entry_id: str) -> int:
        found: Any = await self.redis.xpending_range(self.name, GROUP, entry_id, entry_id, 1)
        return found[0]["times_delivered"] if found else 1

    async def _clean(self) -> None:
        """Remove the consumers of stopped workers, whose tasks were taken over before."""
        if time.monotonic() < self._clean_at:
            return
        long = IDLE_LEASES * self.lease
        self._clean_at = time.monotonic() + long
        try:
            await remove_idle(self.redis, self.name, GROUP, long)
        except ResponseError as error:  # tasks run all the same
            logger.warning("Idle consumers not removed", extra={"reason": reason(error)})

    async def _renew_lease(self, message: Message, beat: Callable[[], None]) -> None:
        with suppress_instrumentation():
            while True:
                beat()
                await asyncio.sleep(self.lease / 3)
                with contextlib.suppress(RedisError):
                    await self.redis.xclaim(
                        self.name, GROUP, self.consumer, 0, [message.entry_id], justid=True
                    )

    def _message(self, entry_id: str, values: Mapping[str, str], deliveries: int = 1) -> Message:
        names = {field.name for field in fields(Task)}
        task = Task(**{name: values.get(name, "") for name in names})
        carrier = {name: value for name, value in values.items() if name not in names}
        return Message(entry_id, task, carrier, deliveries)

    def _attributes(self, operation: str, task: Task) -> dict[str, str | int]:
        return {
            "messaging.system": "redis",
            "messaging.destination.name": self.name,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.message.id": task.task_id,
        }
