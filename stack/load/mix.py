"""The mix of requests that the load sends, invalid ones included."""

import json
import random
import uuid
from collections import deque
from dataclasses import dataclass

import httpx

AGENTS = ("researcher", "summarizer", "archivist")
SENTENCES = (
    "The collector keeps what it could not send in a queue on disk.",
    "A sampling rate must not change the rates that alerts are based on.",
    "Every exemplar on a dashboard should lead to a trace that was kept!",
    "Which of the backends was down, and for how long?",
    "Names of metrics are made in one place, and tested there.",
    "A worker that dies leaves its task to another one.",
)
FAILING = 0.3  # of about a hundred; more would burn the error budget and fire alerts


@dataclass(frozen=True)
class PlannedRequest:
    """A request to send; `kind` is its name in the summary."""

    kind: str
    method: str
    path: str
    body: bytes | None = None


class Mix:
    """Chooses requests at random by weight, and learns task ids from the responses.

    `failing` is the weight of tasks that fail; all other weights add up to about a hundred. With
    `tasks_only`, it sends three documents and then only tasks that succeed.
    """

    def __init__(
        self, rng: random.Random, failing: float = FAILING, *, tasks_only: bool = False
    ) -> None:
        self._rng = rng
        self._tasks = deque[str](maxlen=200)
        self._documents = deque[str](maxlen=20)
        self._weights = {
            self._document: 5,
            self._summary: 15,
            self._words: 15,
            self._keywords: 15,
            self._read_task: 25,
            self._read_stats: 13,
            # Invalid requests; the last one is accepted, and its task fails in the worker.
            self._unknown_agent: 3,
            self._bad_body: 3,
            self._unknown_task: 3,
            self._missing_document: failing,
        }
        if tasks_only:
            self._weights = dict.fromkeys((self._summary, self._words, self._keywords), 1.0)

    def next(self) -> PlannedRequest:
        """Return the next request; the first ones store documents."""
        if len(self._documents) < 3:
            return self._document()
        return self._rng.choices([*self._weights], [*self._weights.values()])[0]()

    def learn(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.ACCEPTED:
            self._tasks.append(answer.json()["task_id"])

    def _document(self) -> PlannedRequest:
        name = f"note-{self._rng.randrange(20)}"
        self._documents.append(name)
        return PlannedRequest(
            "store a document", "PUT", f"/documents/{name}", self._json(text=self._text(8))
        )

    def _summary(self) -> PlannedRequest:
        return self._task("summarize_document", self._rng.choice(self._documents))

    def _words(self) -> PlannedRequest:
        return self._task("word_statistics", self._text(5))

    def _keywords(self) -> PlannedRequest:
        return self._task("extract_keywords", self._text(5))

    def _missing_document(self) -> PlannedRequest:
        return self._task("summarize_document", f"lost-{self._rng.randrange(1000)}")

    def _read_task(self) -> PlannedRequest:
        if not self._tasks:
            return self._words()
        return PlannedRequest("read a task", "GET", f"/tasks/{self._rng.choice(self._tasks)}")

    def _read_stats(self) -> PlannedRequest:
        return PlannedRequest("read statistics", "GET", f"/agents/{self._agent()}/stats")

    def _unknown_agent(self) -> PlannedRequest:
        body = self._json(task_type="word_statistics", text=self._text(1))
        return PlannedRequest("unknown agent", "POST", "/agents/nobody/tasks", body)

    def _bad_body(self) -> PlannedRequest:
        return PlannedRequest(
            "bad body", "POST", f"/agents/{self._agent()}/tasks", b'{"task_type": '
        )

    def _unknown_task(self) -> PlannedRequest:
        return PlannedRequest(
            "unknown task", "GET", f"/tasks/{uuid.UUID(int=self._rng.getrandbits(128))}"
        )

    def _task(self, task_type: str, text: str) -> PlannedRequest:
        body = self._json(task_type=task_type, text=text)
        return PlannedRequest(task_type, "POST", f"/agents/{self._agent()}/tasks", body)

    def _agent(self) -> str:
        return self._rng.choice(AGENTS)

    def _text(self, sentences: int) -> str:
        return " ".join(self._rng.choices(SENTENCES, k=sentences))

    @staticmethod
    def _json(**fields: str) -> bytes:
        return json.dumps(fields).encode()
