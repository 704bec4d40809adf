"""The API as its clients see it."""

import asyncio
import uuid

import pytest

from app.tasks.database import Database
from app.tasks.handlers import Outcome, Task
from stack.services.postgres import Postgres
from tests.support.servers import connected_to
from tests.support.service import Service

STORY = (
    "Telemetry tells what happened. Nobody reads everything. "
    "Good telemetry answers questions about telemetry pipelines. The end."
)


def test_word_statistics_counts_words_and_sentences(service: Service) -> None:
    task = service.run("word_statistics", "Red fish, blue fish. One fish!")
    assert task["status"] == "success"
    assert task["result"] == {
        "words": 6,
        "distinct_words": 4,
        "sentences": 2,
        "mean_word_length": 3.67,
    }
    assert task["duration_ms"] > 0


def test_keywords_are_the_words_a_text_uses_most(service: Service) -> None:
    assert service.run("extract_keywords", STORY)["result"]["keywords"][0] == "telemetry"


def test_a_document_is_fetched_and_summarized(service: Service) -> None:
    service.client.put("/documents/story", json={"text": STORY}).raise_for_status()
    result = service.run("summarize_document", "story")["result"]
    assert result["document_id"] == "story"
    assert result["summary"] == STORY.removesuffix(" The end.")


@pytest.mark.parametrize(
    ("task_type", "text", "error"),
    [
        ("word_statistics", "12 34", "the text has no words"),
        ("extract_keywords", "a b c", "the text has no word of four letters or more to be a key"),
        ("summarize_document", "lost", "there is no document 'lost'"),
        ("summarize_document", "not/a name", "there is no document 'not/a name'"),
    ],
)
def test_a_task_that_cannot_be_done_fails_with_a_sentence(
    service: Service, task_type: str, text: str, error: str
) -> None:
    task = service.run(task_type, text)
    assert (task["status"], task["result"]) == ("error", None)
    assert task["error"].startswith(error)


def test_stats_count_an_agents_successes_and_failures(service: Service) -> None:
    before = service.client.get("/agents/archivist/stats").json()
    assert before["success_rate"] is None
    for text in ("one", "two", "three", "4"):
        service.run("word_statistics", text, agent="archivist")
    stats = service.client.get("/agents/archivist/stats").json()
    mean = stats.pop("mean_duration_ms")
    assert stats == {"completed": 3, "failed": 1, "success_rate": 0.75}
    assert mean > 0


BIG = "word " * 60_000
TWO_PROBLEMS = (
    "the request is not valid: body.task_type: 'dance' is not one of word_statistics, "
    "extract_keywords, summarize_document; body.text: string should have at least 1 character"
)
A_TASK = {"task_type": "word_statistics", "text": "one"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "sentence"),
    [
        ("POST", "/agents/nobody/tasks", A_TASK, 404, "there is no agent 'nobody'"),
        ("GET", "/agents/nobody/stats", None, 404, "there is no agent 'nobody'"),
        ("GET", f"/tasks/{uuid.UUID(int=1)}", None, 404, f"there is no task '{uuid.UUID(int=1)}'"),
        ("GET", "/documents/none", None, 404, "there is no document 'none'"),
        (
            "POST",
            "/agents/researcher/tasks",
            {"task_type": "dance", "text": ""},
            422,
            TWO_PROBLEMS,
        ),
        (
            "PUT",
            "/documents/bad",
            {"text": "a\0b"},
            422,
            "the request is not valid: body.text: it contains the character NUL",
        ),
        (
            "POST",
            "/agents/researcher/tasks",
            {"task_type": "word_statistics", "text": BIG},
            413,
            "the request body is too large: send at most 262144 bytes",
        ),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence(
    service: Service, method: str, path: str, body: object, status: int, sentence: str
) -> None:
    answer = service.client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["detail"]) == (status, sentence)


def test_concurrent_schema_creation_works_and_results_are_written_once(
    postgres: Postgres,
) -> None:
    settings = connected_to(postgres)
    task = Task(str(uuid.uuid4()), "researcher", "word_statistics", "one")

    async def go() -> object:
        several = await asyncio.gather(*(Database.connect(settings) for _ in range(4)))
        assert await several[0].add_task(task)
        await several[1].finish_task(task, Outcome("success", 1.0, {"words": 1}))
        await several[2].finish_task(task, Outcome("error", 2.0, error="second run"))
        row = await several[3].task(uuid.UUID(task.task_id))
        await asyncio.gather(*(each.close() for each in several))
        return row and (row["status"], row["result"], row["error"])

    assert asyncio.run(go()) == ("success", {"words": 1}, None)
