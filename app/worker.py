"""The worker: `python -m app.worker`. Run any number; on SIGTERM it finishes its current task.

`--heartbeat FILE` says that it lives, for a probe: see `app.heartbeat`.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

import httpx

from app import __version__, gauges, telemetry
from app.connections import connect
from app.errors import REJECTED_BY_POSTGRES, SERVER_LOST_ERRORS, ServerLostError, reason, server_of
from app.heartbeat import Heartbeat, HeartbeatError
from app.settings import Settings, SettingsError, load
from app.tasks.database import Database
from app.tasks.execution import execute
from app.tasks.handlers import Outcome
from app.tasks.queue import Message, TaskQueue

SERVICE = "agentical-worker"
RETRY_SECONDS = 1.0
LOST_SECONDS = 15.0
"""More than a turn of the loop takes while Redis does not answer: two tries of 5 s and a pause."""
logger = logging.getLogger("app.worker")


class Worker:
    """Runs one task after another until `stop` is set, and finishes the current one."""

    def __init__(
        self, queue: TaskQueue, database: Database, api: httpx.AsyncClient, heartbeat: Heartbeat
    ) -> None:
        self.queue = queue
        self.database = database
        self.api = api
        self.heartbeat = heartbeat
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Run tasks until stopped; if Postgres or Redis is lost, wait for it.

        Each turn and each renewal of a lease is a heartbeat: waiting for a lost server, or for a
        long task, is no reason for a restart.
        """
        while not self.stop.is_set():
            self.heartbeat.beat()
            try:
                message = await self.queue.receive()
                if message is not None:
                    await self.process(message)
            except SERVER_LOST_ERRORS as error:
                await self._wait_for(error)

    async def process(self, message: Message) -> None:
        """Run a task, store its outcome, and only then acknowledge it."""
        with self.queue.processing(message):
            async with self.queue.leased(message, self.heartbeat.beat):
                outcome = await execute(message.task, self.api, message.deliveries)
                if await self._stored(message, outcome):
                    await self.queue.acknowledge(message)

    async def _stored(self, message: Message, outcome: Outcome) -> bool:
        """Store the outcome, retrying while Postgres is away; returns False if stopped first."""
        while True:
            try:
                await self.database.finish_task(message.task, outcome)
            except REJECTED_BY_POSTGRES:
                # It can never be stored: this API would not have queued it.
                logger.exception("Task dropped", extra={"entry_id": message.entry_id})
                return True
            except Exception as error:
                await self._wait_for(error)
                if self.stop.is_set():
                    return False
            else:
                return True

    async def _wait_for(self, error: Exception) -> None:
        fields = {"server": server_of(error), "reason": reason(error)}
        logger.warning("Server lost, trying again", extra=fields)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), RETRY_SECONDS)


async def serve(settings: Settings, file: Path | None) -> None:
    """Run a worker with its telemetry and its heartbeat in `file` until SIGTERM or SIGINT."""
    heartbeat = Heartbeat(file, settings.task_lease_seconds + LOST_SECONDS)
    with telemetry.exporting(SERVICE, __version__), heartbeat:
        async with (
            connect(settings) as connections,
            httpx.AsyncClient(base_url=settings.api_url, timeout=10) as api,
        ):
            gauges.observe_pool(connections.database, settings.postgres_db)
            worker = Worker(connections.queue, connections.database, api, heartbeat)
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, worker.stop.set)
            logger.info("Worker started", extra={"queue": settings.task_queue})
            await worker.run()
            logger.info("Worker stopped", extra={"queue": settings.task_queue})


def main() -> None:
    """Run the worker; a bad variable, a lost or too old server exits with 1 and a message."""
    parser = argparse.ArgumentParser("python -m app.worker", description="Runs queued tasks.")
    parser.add_argument("--heartbeat", type=Path, metavar="FILE", help="says that it lives")
    file: Path | None = parser.parse_args().heartbeat
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its requests are spans
    try:
        telemetry.instrument()
        asyncio.run(serve(load(), file))
    except (SettingsError, ServerLostError, HeartbeatError, telemetry.TelemetryError) as error:
        sys.exit(f"{SERVICE}: {error}")


if __name__ == "__main__":
    main()
