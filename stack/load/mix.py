"""What the load asks for: what users of the service ask for, mistakes included."""

import json
import random
import uuid
from collections import deque
from dataclasses import dataclass

import httpx

AGENTS = ("researcher", "summarizer", "archivist")
SENTENCES = (
    "The collector keeps what it could not send in a queue on disk.",
    "A sampling rate must not bend the rates that people are woken by.",
    "Every exemplar on a dashboard should lead to a trace that was kept!",
    "Which of the backends was down, and for how long?",
    "Names of metrics are made in one place, and tested there.",
    "A worker that dies leaves its task to another one.",
)
FAILING = 0.3  # of a hundred: fewer than the service promises, or a healthy demo would alert


@dataclass(frozen=True)
class Planned:
    """A request to send, and its kind."""

    kind: str
    method: str
    path: str
    body: bytes | None = None


class Mix:
    """Chooses requests by weight; it learns the ids of tasks from the answers.

    `failing` is the weight of tasks that fail, where all others together have about a hundred.
    With `tasks_only` it asks for tasks that succeed and, after three documents, for nothing else.
    """

    def __init__(
        self, chance: random.Random, failing: float = FAILING, *, tasks_only: bool = False
    ) -> None:
        self._chance = chance
        self._tasks = deque[str](maxlen=200)
        self._documents = deque[str](maxlen=20)
        self._weights = {
            self._document: 5,
            self._summary: 15,
            self._words: 15,
            self._keywords: 15,
            self._read_task: 25,
            self._read_stats: 13,
            # Mistakes: the last kind is accepted and then fails in the worker.
            self._unknown_agent: 3,
            self._bad_body: 3,
            self._unknown_task: 3,
            self._missing_document: failing,
        }
        if tasks_only:
            self._weights = dict.fromkeys((self._summary, self._words, self._keywords), 1.0)

    def next(self) -> Planned:
        """Return the next request; the first ones store documents."""
        if len(self._documents) < 3:
            return self._document()
        return self._chance.choices([*self._weights], [*self._weights.values()])[0]()

    def learn(self, answer: httpx.Response) -> None:
        """Remember the task that an answer accepted."""
        if answer.status_code == httpx.codes.ACCEPTED:
            self._tasks.append(answer.json()["task_id"])

    def _document(self) -> Planned:
        name = f"note-{self._chance.randrange(20)}"
        self._documents.append(name)
        return Planned(
            "store a document", "PUT", f"/documents/{name}", self._json(text=self._text(8))
        )

    def _summary(self) -> Planned:
        return self._task("summarize_document", self._chance.choice(self._documents))

    def _words(self) -> Planned:
        return self._task("word_statistics", self._text(5))

    def _keywords(self) -> Planned:
        return self._task("extract_keywords", self._text(5))

    def _missing_document(self) -> Planned:
        return self._task("summarize_document", f"lost-{self._chance.randrange(1000)}")

    def _read_task(self) -> Planned:
        if not self._tasks:
            return self._words()
        return Planned("read a task", "GET", f"/tasks/{self._chance.choice(self._tasks)}")

    def _read_stats(self) -> Planned:
        return Planned("read statistics", "GET", f"/agents/{self._agent()}/stats")

    def _unknown_agent(self) -> Planned:
        body = self._json(task_type="word_statistics", text=self._text(1))
        return Planned("unknown agent", "POST", "/agents/nobody/tasks", body)

    def _bad_body(self) -> Planned:
        return Planned("bad body", "POST", f"/agents/{self._agent()}/tasks", b'{"task_type": ')

    def _unknown_task(self) -> Planned:
        return Planned(
            "unknown task", "GET", f"/tasks/{uuid.UUID(int=self._chance.getrandbits(128))}"
        )

    def _task(self, task_type: str, text: str) -> Planned:
        body = self._json(task_type=task_type, text=text)
        return Planned(task_type, "POST", f"/agents/{self._agent()}/tasks", body)

    def _agent(self) -> str:
        return self._chance.choice(AGENTS)

    def _text(self, sentences: int) -> str:
        return " ".join(self._chance.choices(SENTENCES, k=sentences))

    @staticmethod
    def _json(**fields: str) -> bytes:
        return json.dumps(fields).encode()
