"""The API: `uvicorn app.api:app`, or `python -m app.api`."""

import asyncio
import logging
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Request, Response
from opentelemetry.instrumentation.utils import suppress_instrumentation
from pydantic import AfterValidator, BaseModel, Field

from app import __version__, gauges, telemetry
from app.errors import LOST_SERVER, reason
from app.refusals import BodyLimit, add_refusals
from app.services import Services, gauge_client, opened
from app.settings import Settings, SettingsError, load
from app.tasks import HANDLERS, Task

SERVICE = "agentical-api"
HEALTH_SECONDS = 1.5
logger = logging.getLogger("app.api")
router = APIRouter()

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


Text = Annotated[str, Field(min_length=1), AfterValidator(storable)]


class NewTask(BaseModel):
    """What to do with which text; for `summarize_document` the text is a document's id."""

    task_type: Annotated[str, AfterValidator(known)]
    text: Text


class Document(BaseModel):
    """A document's text."""

    text: Text


def services_of(request: Request) -> Services:
    """Return what the lifespan opened."""
    services: Services = request.app.state.services
    return services


Opened = Annotated[Services, Depends(services_of)]


@router.post("/agents/{agent_id}/tasks", status_code=202)
async def add_task(agent_id: Name, new: NewTask, services: Opened) -> dict[str, str]:
    """Queue a task for an agent."""
    task = Task(str(uuid.uuid4()), agent_id, new.task_type, new.text)
    if not await services.database.add_task(task):
        raise unknown("agent", agent_id)
    try:
        await services.queue.send(task)
    except LOST_SERVER:
        await services.database.forget_task(task)
        raise
    return {"task_id": task.task_id, "status": "queued"}


@router.get("/tasks/{task_id}")
async def get_task(task_id: uuid.UUID, services: Opened) -> dict[str, Any]:
    """Tell how a task stands, and its result."""
    row = await services.database.task(task_id)
    if row is None:
        raise unknown("task", str(task_id))
    return row


@router.get("/agents/{agent_id}/stats")
async def get_stats(agent_id: Name, services: Opened) -> dict[str, Any]:
    """Tell how an agent has done so far; rate and mean are null before its first task."""
    row = await services.database.stats(agent_id)
    if row is None:
        raise unknown("agent", agent_id)
    done = row["completed"] + row["failed"]
    return {**row, "success_rate": row["completed"] / done if done else None}


@router.get("/documents/{document_id}")
async def get_document(document_id: Name, services: Opened) -> Document:
    """Return a document."""
    text = await services.database.document(document_id)
    if text is None:
        raise unknown("document", document_id)
    return Document(text=text)


@router.put("/documents/{document_id}", status_code=204)
async def put_document(document_id: Name, document: Document, services: Opened) -> None:
    """Store a document, in place of one with the same id."""
    await services.database.put_document(document_id, document.text)


@router.get("/health")
async def get_health(services: Opened, response: Response) -> dict[str, Any]:
    """Ask Postgres and Redis; 503 names the one that did not answer."""
    with suppress_instrumentation():  # asked every few seconds, told by one span
        answers = await asyncio.gather(
            answer_of(services.database.ping()), answer_of(services.queue.ping())
        )
    servers = dict(zip(("postgres", "redis"), answers, strict=True))
    if all(answer == "ok" for answer in answers):
        return {"status": "ok", **servers}
    logger.warning("Health check failed", extra=servers)
    response.status_code = 503
    return {"status": "unavailable", **servers}


async def answer_of(question: Awaitable[None]) -> str:
    """Return "ok", or why the server did not answer."""
    try:
        await asyncio.wait_for(question, HEALTH_SECONDS)
    except LOST_SERVER as error:
        return f"lost: {reason(error)}"
    return "ok"


def unknown(kind: str, name: str) -> HTTPException:
    """Make the answer to a question for something that is not there."""
    return HTTPException(404, f"there is no {kind} {name!r}")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start telemetry and connections in the process that serves, and end them in order."""
    settings: Settings = app.state.settings
    with telemetry.exporting(SERVICE, __version__):
        async with opened(settings) as services:
            app.state.services = services
            gauges.observe_pool(services.database.pool, settings.postgres_db)
            gauges.observe_queue(gauge_client(settings), settings.task_queue)
            gauges.observe_open_connections()
            logger.info("API started", extra={"version": __version__})
            yield
            logger.info("API stopped", extra={"version": __version__})


def create_app(settings: Settings) -> FastAPI:
    """Make the application. Raises `telemetry.TelemetryError`."""
    app = FastAPI(title="Agentical", version=__version__, lifespan=lifespan)
    app.state.settings = settings
    app.include_router(router)
    app.add_middleware(BodyLimit, most=settings.api_max_body_bytes)
    add_refusals(app)
    telemetry.instrument(app)
    return app


def configured() -> FastAPI:
    """Make the application from the environment; a bad variable is one sentence and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        return create_app(load())
    except (SettingsError, telemetry.TelemetryError) as error:
        sys.exit(f"{SERVICE}: {error}")


app = configured()

if __name__ == "__main__":
    settings = app.state.settings
    # No access log: a request is a span.
    uvicorn.run(app, host=settings.api_host, port=settings.api_port, access_log=False)
