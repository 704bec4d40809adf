"""The worker's sign of life, and the probe of compose and Kubernetes that reads it."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.process import Process

from app.connections import redis_client
from app.heartbeat import Heartbeat
from app.settings import Settings
from app.tasks.handlers import Task
from app.tasks.queue import Message, TaskQueue
from stack.paths import ROOT
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.servers import run_redis
from tests.support.service import Service

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["worker"]
FILE = COMPOSE["command"][-1].removeprefix("--heartbeat=")
OFF = {"OTEL_SDK_DISABLED": "true", "TASK_LEASE_SECONDS": "0.3"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "heartbeat"


def probed(file: Path) -> tuple[int, str]:
    """Run compose's probe on the file; returns its exit code and what it says."""
    command = [str(file) if part == FILE else part for part in COMPOSE["healthcheck"]["test"][1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return done.returncode, done.stdout + done.stderr


def worker(service: Service, file: Path, *module: str) -> Process:
    """Return a worker with a heartbeat; the caller starts it."""
    command = [sys.executable, *(module or ("-m", "app.worker")), f"--heartbeat={file}"]
    return Process("worker", command, env=service.env, clean_env=True, cwd=ROOT)


def test_a_worker_whose_loop_hangs_fails_the_probe(
    postgres: Postgres, redis: Redis, file: Path
) -> None:
    with (
        Service(postgres, redis, OFF, workers=0) as service,
        worker(service, file, "-m", "tests.app.services.hanging_worker") as hanging,
    ):
        poll_until(lambda: probed(file) == (0, ""), "the worker polls the queue")
        service.send("word_statistics", "hangs")
        said = poll_until(lambda: probed(file)[1], "the worker counts as hanging", timeout=40)
        assert said.startswith("it counted as alive until ")
        assert probed(file)[0] == 1
        assert hanging.running
        hanging.kill()


def test_a_worker_that_waits_for_redis_passes_the_probe(postgres: Postgres, file: Path) -> None:
    with (
        run_redis() as redis,
        Service(postgres, redis, OFF, workers=0) as service,
        worker(service, file) as waiting,
    ):
        poll_until(lambda: probed(file) == (0, ""), "the worker polls the queue")
        os.kill(redis.pid, signal.SIGSTOP)  # it takes connections and does not answer
        failed = []

        def tried_again() -> bool:
            failed.extend([said for code, said in [probed(file)] if code])
            return waiting.output().count("trying again") >= 2

        try:
            poll_until(tried_again, "two tries", timeout=60)
        finally:
            os.kill(redis.pid, signal.SIGCONT)
        assert failed == []


def test_the_file_is_there_only_while_the_worker_runs(
    postgres: Postgres, redis: Redis, file: Path
) -> None:
    assert probed(file)[0] == 1
    with Service(postgres, redis, OFF, workers=0) as service:
        with worker(service, file) as running:
            poll_until(lambda: probed(file) == (0, ""), "the worker polls the queue")
            file.unlink()  # something cleans up old files
            poll_until(lambda: probed(file) == (0, ""), "the next turn of the loop")
            assert running.stop() == 0
        assert not file.exists()


def test_what_an_earlier_worker_left_does_not_count(file: Path) -> None:
    file.touch()
    os.utime(file, (time.time() + 60, time.time() + 60))
    with Heartbeat(file, 60) as heartbeat:
        assert probed(file)[0] == 1
        heartbeat.beat()
        assert probed(file) == (0, "")


def test_a_file_that_cannot_be_written_ends_the_start_with_a_sentence(
    postgres: Postgres, redis: Redis
) -> None:
    refused = worker(Service(postgres, redis, OFF, workers=0), Path("/proc/heartbeat"))
    done = subprocess.run(
        refused.argv, env=refused.env, cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert done.stderr.startswith("agentical-worker: the heartbeat cannot be written: ")
    assert "'/proc/heartbeat'; choose a file that the worker may write\n" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_long_task_is_no_reason_to_count_as_hanging() -> None:
    async def go() -> None:
        enough, beats = asyncio.Event(), itertools.count(1)

        def beat() -> None:
            if next(beats) == 4:
                enough.set()

        gone = redis_client(Settings(redis_port=free_port()))
        queue = TaskQueue(gone, "tasks", lease=0.3)
        message = Message("0-1", Task("1", "researcher", "word_statistics", "long"), {})
        async with queue.leased(message, beat):
            await asyncio.wait_for(enough.wait(), 20)
        await gone.aclose()

    asyncio.run(go())
