"""Redis loses the queue, refuses it, or another server takes over: workers go on with new tasks."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from otelcol_runner.polling import poll_until
from redis import Redis as Client

from app.tasks.queue import GROUP
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.relay import Relay
from tests.support.servers import PASSWORD, run_redis
from tests.support.service import Service

OFF = {"OTEL_SDK_DISABLED": "true"}
TASK = {"task_type": "word_statistics", "text": "one two"}


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    """A server of this module: these tests delete everything on it."""
    with run_redis() as server:
        yield server


def client_of(redis: Redis) -> Client:
    return Client(port=redis.port, password=PASSWORD, decode_responses=True)


def blocked(client: Client) -> list[str]:
    """Return the clients that wait for the queue, by their ids."""
    return [each["id"] for each in client.client_list() if "b" in each["flags"]]


def unblock(client: Client, _: str) -> None:
    for each in blocked(client):
        client.client_unblock(int(each), error=True)


LOSSES: dict[str, Callable[[Client, str], object]] = {
    "everything": lambda client, _: client.flushall(),
    "the stream": lambda client, queue: client.delete(queue),
    "the group": lambda client, queue: client.xgroup_destroy(queue, GROUP),
    # Redis 7.0 says the same to those who wait for a stream that is deleted.
    "the wait": unblock,
}


@contextmanager
def waiting(postgres: Postgres, redis: Redis, **env: str) -> Iterator[tuple[Service, Client]]:
    """Run a service whose worker waits for the queue; it must not end."""
    with (
        client_of(redis) as client,
        Service(postgres, redis, OFF | env) as service,
    ):
        poll_until(lambda: blocked(client), "the worker waits for a task")
        yield service, client
        assert service.workers[0].running, service.workers[0].tail()


def run_several(service: Service) -> None:
    tasks = [service.send("word_statistics", "one two") for _ in range(5)]
    assert {service.result(task, timeout=20)["status"] for task in tasks} == {"success"}


@pytest.mark.parametrize("lost", LOSSES)
def test_tasks_sent_after_a_loss_are_done(postgres: Postgres, redis: Redis, lost: str) -> None:
    with waiting(postgres, redis) as (service, client):
        LOSSES[lost](client, service.env["TASK_QUEUE"])
        run_several(service)
        assert client.xlen(service.env["TASK_QUEUE"]) == 0
        assert "Server lost" not in service.workers[0].output()


def test_tasks_sent_after_a_restart_without_the_data_are_done(
    postgres: Postgres, redis: Redis
) -> None:
    with waiting(postgres, redis) as (service, client):
        data = append_only_files(client)
        redis.kill()
        shutil.rmtree(data)
        redis.start()
        poll_until(lambda: service.client.get("/health").status_code == 200, "health", timeout=15)
        assert client.keys() in ([], [service.env["TASK_QUEUE"]])
        run_several(service)


def append_only_files(client: Client) -> Path:
    found: Any = client.config_get("dir", "appenddirname")
    return Path(found["dir"], found["appenddirname"])


def test_a_queue_that_redis_refuses_is_a_503_and_the_worker_waits(
    postgres: Postgres, redis: Redis
) -> None:
    with waiting(postgres, redis) as (service, client):
        queue, (worker,) = service.env["TASK_QUEUE"], service.workers
        client.delete(queue)
        client.set(queue, "of another type")
        poll_until(lambda: "trying again" in worker.output(), "the worker's warning")
        refused = service.client.post("/agents/summarizer/tasks", json=TASK)
        sentence = "Redis is not available now: try again later"
        assert (refused.status_code, refused.json()) == (503, {"detail": sentence})
        client.delete(queue)
        run_several(service)


def test_a_failover_takes_the_service_to_the_new_primary(postgres: Postgres) -> None:
    with (
        run_redis() as old,
        run_redis() as new,
        Relay(old.port) as relay,
        client_of(old) as to_old,
        client_of(new) as to_new,
    ):
        for client in (to_old, to_new):
            client.config_set("masterauth", PASSWORD)
        to_new.replicaof("127.0.0.1", str(old.port))
        poll_until(lambda: to_new.info()["master_link_status"] == "up", "the replica")
        with waiting(postgres, old, REDIS_PORT=str(relay.port)) as (service, _):
            run_several(service)
            relay.target = (
                new.port
            )  # for new connections; the old ones lead to what is a replica now
            to_new.replicaof("NO", "ONE")
            to_old.replicaof("127.0.0.1", str(new.port))
            poll_until(
                lambda: service.client.post("/agents/summarizer/tasks", json=TASK).is_success,
                "a task is accepted",
            )
            run_several(service)
            assert to_new.info()["role"] == "master"
