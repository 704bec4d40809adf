"""The worker: `python -m app.worker`. Start as many as you need; SIGTERM lets one finish."""

import asyncio
import contextlib
import logging
import signal
import sys

import httpx

from app import __version__, gauges, telemetry
from app.agents import execute
from app.connections import opened
from app.database import Database
from app.errors import LOST_SERVER, UNFIT, ServerLostError, lost_server, reason
from app.queue import Message, TaskQueue
from app.settings import Settings, SettingsError, load
from app.tasks import Outcome

SERVICE = "agentical-worker"
RETRY_SECONDS = 1.0
logger = logging.getLogger("app.worker")


class Worker:
    """Takes one task after the other until `stop` is set; finishes the one in hand."""

    def __init__(self, queue: TaskQueue, database: Database, api: httpx.AsyncClient) -> None:
        self.queue = queue
        self.database = database
        self.api = api
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Work until stopped. A lost server is waited for."""
        while not self.stop.is_set():
            try:
                message = await self.queue.receive()
                if message is not None:
                    await self.process(message)
            except LOST_SERVER as error:
                await self._wait_for(error)

    async def process(self, message: Message) -> None:
        """Run a task, store its outcome, and only then take it out of the queue."""
        with self.queue.processing(message):
            async with self.queue.holding(message):
                outcome = await execute(message.task, self.api, message.deliveries)
                if await self._stored(message, outcome):
                    await self.queue.done(message)

    async def _stored(self, message: Message, outcome: Outcome) -> bool:
        """Store the outcome, however long Postgres is away; False when stopped before."""
        while True:
            try:
                await self.database.finish_task(message.task, outcome)
            except UNFIT:
                # It would fail for ever: a message that no API of this kind has sent.
                logger.exception("Task dropped", extra={"entry_id": message.entry_id})
                return True
            except Exception as error:
                await self._wait_for(error)
                if self.stop.is_set():
                    return False
            else:
                return True

    async def _wait_for(self, error: Exception) -> None:
        fields = {"server": lost_server(error), "reason": reason(error)}
        logger.warning("Server lost, trying again", extra=fields)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), RETRY_SECONDS)


async def serve(settings: Settings) -> None:
    """Run a worker with its telemetry until SIGTERM or SIGINT."""
    with telemetry.exporting(SERVICE, __version__):
        async with (
            opened(settings) as services,
            httpx.AsyncClient(base_url=settings.api_url, timeout=10) as api,
        ):
            gauges.observe_pool(services.database, settings.postgres_db)
            worker = Worker(services.queue, services.database, api)
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, worker.stop.set)
            logger.info("Worker started", extra={"queue": settings.task_queue})
            await worker.run()
            logger.info("Worker stopped", extra={"queue": settings.task_queue})


def main() -> None:
    """Run the worker; what is wrong with its surroundings is one sentence and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its requests are spans
    try:
        telemetry.instrument()
        asyncio.run(serve(load()))
    except (SettingsError, ServerLostError, telemetry.TelemetryError) as error:
        sys.exit(f"{SERVICE}: {error}")


if __name__ == "__main__":
    main()
