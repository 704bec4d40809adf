"""The API and the worker as processes, on their own queue, with a client."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Self

import httpx
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.process import Process

from stack.paths import ROOT
from stack.services.postgres import Postgres
from stack.services.redis import Redis

FAST = {
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # logfire, installed for the tests, registers one
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_BLRP_SCHEDULE_DELAY": "100",
    "OTEL_METRIC_EXPORT_INTERVAL": "500",
}


class Service:
    """An API and `workers` workers as a context manager.

    Args:
        env: variables for all of them, on top of their addresses and quick exports.
        server: the arguments of `python -m` that serve the API.
    """

    def __init__(
        self,
        postgres: Postgres,
        redis: Redis,
        env: Mapping[str, str],
        *,
        workers: int = 1,
        server: tuple[str, ...] = ("app.api",),
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.env = {
            **inherited(),
            **addresses(postgres, redis),
            **FAST,
            "API_PORT": str(port),
            "API_URL": self.url,
            "TASK_QUEUE": f"tasks-{uuid.uuid4().hex[:8]}",
            **env,
        }
        arguments = [part.replace("PORT", str(port)) for part in server]
        self.api = self._process("api", *arguments, ready=self._healthy)
        self.workers = [self.worker() for _ in range(workers)]
        self.client = httpx.Client(base_url=self.url, timeout=10)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.client)
            for worker in self.workers:
                stack.enter_context(worker)
            stack.enter_context(self.api)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def worker(self, **env: str) -> Process:
        """Make one more worker; the caller starts and stops it."""
        return self._process("worker", "app.worker", env=env)

    def start_in_vain(self, module: str) -> subprocess.CompletedProcess[str]:
        """Start a module of the service that has to end by itself, and return how it did."""
        command = [sys.executable, "-m", module]
        return subprocess.run(
            command, env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
        )

    def send(self, task_type: str, text: str, agent: str = "researcher") -> str:
        """Queue a task and return its id."""
        body = {"task_type": task_type, "text": text}
        answer = self.client.post(f"/agents/{agent}/tasks", json=body)
        assert answer.status_code == 202, answer.text
        task_id: str = answer.json()["task_id"]
        return task_id

    def result(self, task_id: str, *, timeout: float = 10.0) -> dict[str, Any]:
        """Wait until the task is done and return it."""

        def done() -> dict[str, Any] | None:
            task: dict[str, Any] = self.client.get(f"/tasks/{task_id}").json()
            return None if task["status"] == "queued" else task

        return poll_until(done, f"task {task_id} done", timeout=timeout)

    def run(self, task_type: str, text: str, agent: str = "researcher") -> dict[str, Any]:
        """Run a task and return it."""
        return self.result(self.send(task_type, text, agent))

    def seconds(self, requests: int) -> list[float]:
        """Return how many seconds each of these requests took."""
        found = []
        for _ in range(requests):
            started = time.perf_counter()
            self.send("word_statistics", "one two three")
            found.append(time.perf_counter() - started)
        return found

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=2).status_code == 200
        except httpx.TransportError as error:
            raise OSError(str(error)) from error

    def _process(
        self,
        name: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], bool] = lambda: True,
    ) -> Process:
        command = [sys.executable, "-W", "error", "-m", *arguments]
        variables = {**self.env, **(env or {})}
        return Process(name, command, env=variables, clean_env=True, ready=ready, cwd=ROOT)


def inherited() -> dict[str, str]:
    """Return this process's variables without OpenTelemetry's and with the bytecode cache on."""
    out = ("OTEL_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(out)}


def addresses(postgres: Postgres, redis: Redis) -> dict[str, str]:
    """Return the variables with the two servers' addresses."""
    return {
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password,
        "REDIS_PORT": str(redis.port),
        "REDIS_PASSWORD": "test-password",
    }
