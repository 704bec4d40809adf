"""What the API takes and answers; its description is made from these."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, Field

from app.tasks import HANDLERS

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]


def known(task_type: str) -> str:
    """Refuse a task type that has no handler."""
    if task_type not in HANDLERS:
        raise ValueError(f"{task_type[:100]!r} is not one of {', '.join(HANDLERS)}")
    return task_type


def storable(text: str) -> str:
    """Refuse what Postgres cannot store."""
    if "\0" in text:
        raise ValueError("it contains the character NUL")
    return text


# Told to clients in the schema; refused here with a sentence of our own.
NO_NUL = Field(min_length=1, json_schema_extra={"pattern": r"^[^\u0000]+$"})
TASK_TYPES = Field(json_schema_extra={"enum": list(HANDLERS)})
Text = Annotated[str, NO_NUL, AfterValidator(storable)]


class NewTask(BaseModel):
    """What to do with which text; for `summarize_document` the text is a document's id."""

    task_type: Annotated[str, TASK_TYPES, AfterValidator(known)]
    text: Text


class Document(BaseModel):
    """A document's text."""

    text: Text


class Queued(BaseModel):
    """A task that was taken."""

    task_id: uuid.UUID
    status: Literal["queued"] = "queued"


class TaskState(BaseModel):
    """How a task stands; `result` or `error`, and times, once it is finished."""

    task_id: uuid.UUID
    agent_id: str
    task_type: str
    status: Literal["queued", "success", "error"]
    result: dict[str, Any] | None
    error: str | None
    duration_ms: float | None
    created_at: datetime
    finished_at: datetime | None


class Stats(BaseModel):
    """How an agent has done so far; rate and mean are null before its first task."""

    completed: int
    failed: int
    mean_duration_ms: float | None
    success_rate: float | None


class Health(BaseModel):
    """Whether the servers answer: "ok" or "lost"; why is in the log."""

    status: Literal["ok", "unavailable"]
    postgres: Literal["ok", "lost"] = "ok"
    redis: Literal["ok", "lost"] = "ok"
