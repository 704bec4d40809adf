"""The worker's liveness probe."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping

from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port

from stack.paths import ROOT
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.service import Service


def asked(env: Mapping[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "app.alive"]
    done = subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stderr.strip()


def test_a_hanging_worker_fails_the_probe_and_a_lost_redis_does_not(
    postgres: Postgres, redis: Redis
) -> None:
    with Service(
        postgres, redis, {"OTEL_SDK_DISABLED": "true", "TASK_LEASE_SECONDS": "3"}
    ) as service:
        poll_until(lambda: asked(service.env) == (0, ""), "the worker polls the queue", timeout=30)
        os.kill(service.workers[0].pid, signal.SIGSTOP)
        try:
            said = poll_until(
                lambda: asked(service.env)[1], "the worker's last poll is too old", timeout=30
            )
            assert said.startswith("no worker on this host has polled the queue")
            assert asked({**service.env, "REDIS_PORT": str(free_port())}) == (0, "")
        finally:
            os.kill(service.workers[0].pid, signal.SIGCONT)
        poll_until(lambda: asked(service.env) == (0, ""), "the worker polls again", timeout=30)


def test_a_queue_never_polled_fails_the_probe(postgres: Postgres, redis: Redis) -> None:
    code, said = asked(Service(postgres, redis, {}, workers=0).env)
    assert (code, said) == (1, "no worker on this host has polled the queue for 60 s")
