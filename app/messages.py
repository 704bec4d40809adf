"""The API's request and response models; the OpenAPI document is generated from them."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, Field

from app.tasks.handlers import HANDLERS

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]


def known(task_type: str) -> str:
    """Reject a task type without a handler."""
    if task_type not in HANDLERS:
        raise ValueError(f"{task_type[:100]!r} is not one of {', '.join(HANDLERS)}")
    return task_type


def storable(text: str) -> str:
    """Reject what Postgres cannot store."""
    if "\0" in text:
        raise ValueError("it contains the character NUL")
    return text


# In the schema for clients; rejected below with a readable message.
NO_NUL = Field(min_length=1, json_schema_extra={"pattern": r"^[^\u0000]+$"})
TASK_TYPES = Field(json_schema_extra={"enum": list(HANDLERS)})
Text = Annotated[str, NO_NUL, AfterValidator(storable)]


class NewTask(BaseModel):
    """A task and its text; for `summarize_document` the text is a document's id."""

    task_type: Annotated[str, TASK_TYPES, AfterValidator(known)]
    text: Text


class Document(BaseModel):
    text: Text


class Queued(BaseModel):
    """An accepted task."""

    task_id: uuid.UUID
    status: Literal["queued"] = "queued"


class TaskState(BaseModel):
    """A task's status; it has `result` or `error`, and `duration_ms`, once it is finished."""

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
    """An agent's tasks so far; rate and mean are null before its first finished task."""

    completed: int
    failed: int
    mean_duration_ms: float | None
    success_rate: float | None


class Health(BaseModel):
    """The state of Postgres and Redis: "ok" or "lost"; the log has the reason."""

    status: Literal["ok", "unavailable"]
    postgres: Literal["ok", "lost"] = "ok"
    redis: Literal["ok", "lost"] = "ok"
