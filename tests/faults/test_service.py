"""The service loses a server or a worker under load: accepted tasks are done once."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from otelcol_runner.polling import poll_until

from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.faults.support.outcome import Outcome, Row, record
from tests.support.servers import own_servers
from tests.support.service import Service
from tests.support.slow_api import SlowApi

LOST = [
    Row(
        f"{server} gone for {{seconds}} under load",
        "service",
        "503 with the reason, recovers by itself, no accepted task lost",
        stated=30,
        short=2,
        none_lost=("tasks",),
        none_twice=("tasks",),
    )
    for server in ("Postgres", "Redis")
]
WORKER_KILLED = Row(
    "`kill -9` of a worker with a task in its hand, three times, under load",
    "service",
    "another one finishes the task in hand",
    stated=0,
    short=0,
    none_lost=("tasks",),
    none_twice=("tasks",),
)
OFF = {"OTEL_SDK_DISABLED": "true", "TASK_LEASE_SECONDS": "1"}
PAUSE = 0.01  # seconds between two requests


class Clients(threading.Thread):
    """Requests one task after the other and records the responses."""

    def __init__(self, service: Service, task_type: str) -> None:
        super().__init__(name="clients", daemon=True)
        self.service, self.task_type = service, task_type
        self.accepted: list[str] = []
        self.answers: Counter[tuple[int, str]] = Counter()
        self.ending = threading.Event()
        self.before = completed(service)

    def run(self) -> None:
        """Send requests until stopped."""
        body = {"task_type": self.task_type, "text": "kept"}
        with httpx.Client(base_url=self.service.url, timeout=20) as client:
            while not self.ending.wait(PAUSE):
                answer = client.post("/agents/researcher/tasks", json=body)
                if answer.status_code == 202:
                    self.accepted.append(answer.json()["task_id"])
                self.answers[answer.status_code, answer.json().get("detail", "")] += 1

    def go_on(self) -> None:
        """Wait until more tasks are accepted."""
        before = len(self.accepted)
        poll_until(lambda: len(self.accepted) > before + 10, "more accepted tasks", timeout=20)

    def _done(self) -> int:
        return completed(self.service) - self.before

    def finish(self) -> Outcome:
        """Stop, wait for the results of all accepted tasks, and count."""
        self.ending.set()
        self.join(30)
        assert not self.is_alive()
        ended = time.monotonic()
        accepted = len(self.accepted)
        progress = lambda: f"{self._done()} of {accepted}"  # noqa: E731
        poll_until(lambda: self._done() >= accepted, "results", timeout=60, seen=progress)
        tasks = [self.service.client.get(f"/tasks/{task_id}").json() for task_id in self.accepted]
        refused = self.answers.total() - len(self.accepted)
        return Outcome(
            {"tasks": len(self.accepted)},
            {"tasks": sum(task["status"] != "success" for task in tasks)},
            # A refused task may have been stored before its server was lost.
            {"tasks": max(0, self._done() - self.answers.total())},
            drain=round(time.monotonic() - ended, 1),
            note=f"{refused} requests answered 503" if refused else "",
        )


def completed(service: Service) -> int:
    found: int = service.client.get("/agents/researcher/stats").json()["completed"]
    return found


def run_clients(service: Service, task_type: str) -> Clients:
    service.client.put("/documents/kept", json={"text": "Kept."}).raise_for_status()
    clients = Clients(service, task_type)
    clients.start()
    clients.go_on()
    return clients


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Redis]]:
    with own_servers() as both:
        yield both


def test_a_lost_server_gives_503_and_loses_no_accepted_task(
    servers: tuple[Postgres, Redis],
) -> None:
    for server, row in zip(servers, LOST, strict=True):
        with Service(*servers, OFF, workers=2) as service:
            clients = run_clients(service, "word_statistics")
            server.kill()
            time.sleep(row.seconds)  # the length of the fault
            server.start()
            clients.go_on()
            outcome = clients.finish()
            sentence = f"{server.name.capitalize()} is not available now: try again later"
            assert clients.answers.keys() == {(202, ""), (503, sentence)}
            record(row, outcome)


def test_a_killed_workers_task_is_finished_by_another(servers: tuple[Postgres, Redis]) -> None:
    with Service(*servers, OFF) as service:
        clients = run_clients(service, "summarize_document")  # a task that calls the API
        for _ in range(3):
            slow = SlowApi()
            with closing(slow), service.worker(API_URL=slow.url) as doomed:
                slow.wait_for_request()  # the worker is running a task
                doomed.kill()
            clients.go_on()
        outcome = clients.finish()
        assert clients.answers.keys() == {(202, "")}
        record(WORKER_KILLED, outcome)
