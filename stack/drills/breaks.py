"""How each drill breaks the pipeline. Context managers: broken inside, repaired afterwards."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import asyncpg
from anyio.from_thread import start_blocking_portal
from otelcol_runner.process import Process
from psutil import cpu_count

from stack.drills.disk import small_disk
from stack.drills.lab import RATE, Lab
from stack.load.generator import Load

CONNECTIONS_LEFT = 2  # for the collector, which reads Postgres' metrics
SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_sleep(2.5); RETURN NULL; END $$;
CREATE TRIGGER slow AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION slow();
"""
BUSY_SECONDS = 120.0  # an upper limit, in case the drill crashes
BUSY = f"import time; end = time.time() + {BUSY_SECONDS}\nwhile time.time() < end: pass"


@contextmanager
def postgres_down(lab: Lab) -> Iterator[None]:
    """Stop Postgres."""
    with stopped(lab.pipeline.postgres):
        yield


@contextmanager
def redis_down(lab: Lab) -> Iterator[None]:
    """Stop Redis."""
    with stopped(lab.pipeline.redis):
        yield


@contextmanager
def workers_gone(lab: Lab) -> Iterator[None]:
    """Stop the worker."""
    with stopped(lab.pipeline.worker):
        yield


@contextmanager
def collector_down(lab: Lab) -> Iterator[None]:
    """Stop the collector."""
    with stopped(lab.pipeline.collector):
        yield


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    """Stop a process, and start it again on the same data."""
    process.stop()
    try:
        yield
    finally:
        process.start()


@contextmanager
def connections_taken(lab: Lab) -> Iterator[None]:
    """Open nearly all connections that Postgres allows."""
    dsn = lab.pipeline.postgres.dsn

    async def take() -> list["asyncpg.Connection[asyncpg.Record]"]:
        taken = [await asyncpg.connect(dsn)]
        maximum = int(await taken[0].fetchval("SHOW max_connections"))
        backends = "SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL"
        while await taken[0].fetchval(backends) < maximum - CONNECTIONS_LEFT:
            taken.append(await asyncpg.connect(dsn))
        return taken

    async def release(taken: list["asyncpg.Connection[asyncpg.Record]"]) -> None:
        for connection in taken:
            await connection.close(timeout=5)

    with start_blocking_portal() as portal:
        taken = portal.call(take)
        try:
            yield
        finally:
            portal.call(release, taken)


@contextmanager
def table_locked(lab: Lab) -> Iterator[None]:
    """Lock the table of tasks, like a long migration."""
    with in_transaction(lab, "LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE"):
        yield


@contextmanager
def in_transaction(lab: Lab, sql: str) -> Iterator[None]:
    """Run a statement in a transaction that stays open in this context and is rolled back."""
    with start_blocking_portal() as portal:
        connection = portal.call(asyncpg.connect, lab.pipeline.postgres.dsn)
        portal.call(connection.execute, f"BEGIN; {sql}")
        try:
            yield
        finally:
            portal.call(connection.close)


@contextmanager
def postgres_slow(lab: Lab) -> Iterator[None]:
    """Make Postgres take 2.5 seconds to insert a task."""
    execute(lab, SLOW)
    try:
        yield
    finally:
        execute(lab, "DROP FUNCTION slow CASCADE")


def execute(lab: Lab, sql: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(lab.pipeline.postgres.dsn)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(run())


@contextmanager
def tasks_failing(lab: Lab) -> Iterator[None]:
    """Send tasks for documents that do not exist."""
    with Load(lab.pipeline.api_url, rate=RATE, failing=200, seed=2):
        yield


@contextmanager
def token_refused(lab: Lab) -> Iterator[None]:
    """Make the Logfire stand-in reject the write token."""
    lab.stand_in.fault(refuse=401)
    try:
        yield
    finally:
        lab.stand_in.fault()


@contextmanager
def cpu_busy(lab: Lab) -> Iterator[None]:
    """Keep every processor busy, for up to two minutes."""
    with ExitStack() as busy:
        for number in range(cpu_count() or 1):
            command = [sys.executable, "-c", BUSY]
            busy.enter_context(Process(f"busy {number}", command))
        yield


@contextmanager
def disk_full(lab: Lab) -> Iterator[None]:
    """Fill a small disk."""
    # Unmount it only when the lab ends: Prometheus shows an unmounted disk as full for 5 minutes.
    filler = lab.cleanup.enter_context(small_disk()) / "filler"
    with filler.open("wb") as file, suppress(OSError):
        while True:
            file.write(b"full" * 2**16)
            file.flush()
    try:
        yield
    finally:
        filler.unlink()
