"""The API: `uvicorn app.api:app`, or `python -m app.api`."""

import asyncio
import logging
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from opentelemetry.instrumentation.utils import suppress_instrumentation

from app import __version__, gauges, telemetry
from app.connections import Services, gauge_client, opened
from app.errors import LOST_SERVER, reason
from app.messages import Document, Health, Name, NewTask, Queued, Stats, TaskState
from app.refusals import BodyLimit, add_refusals, refusals
from app.settings import Settings, SettingsError, load
from app.tasks import Task

SERVICE = "agentical-api"
HEALTH_SECONDS = 1.5
logger = logging.getLogger("app.api")
router = APIRouter()


def services_of(request: Request) -> Services:
    """Return what the lifespan opened."""
    services: Services = request.app.state.services
    return services


Opened = Annotated[Services, Depends(services_of)]


@router.post("/agents/{agent_id}/tasks", status_code=202, responses=refusals(body=True))
async def add_task(agent_id: Name, new: NewTask, services: Opened) -> Queued:
    """Queue a task for an agent."""
    task = Task(str(uuid.uuid4()), agent_id, new.task_type, new.text)
    if not await services.database.add_task(task):
        raise unknown("agent", agent_id)
    try:
        await services.queue.send(task)
    except LOST_SERVER:
        await services.database.forget_task(task)
        raise
    return Queued(task_id=uuid.UUID(task.task_id))


@router.get("/tasks/{task_id}", responses=refusals())
async def get_task(task_id: uuid.UUID, services: Opened) -> TaskState:
    """Tell how a task stands, and its result."""
    row = await services.database.task(task_id)
    if row is None:
        raise unknown("task", str(task_id))
    return TaskState(**row)


@router.get("/agents/{agent_id}/stats", responses=refusals())
async def get_stats(agent_id: Name, services: Opened) -> Stats:
    """Tell how an agent has done so far."""
    row = await services.database.stats(agent_id)
    if row is None:
        raise unknown("agent", agent_id)
    done = row["completed"] + row["failed"]
    return Stats(**row, success_rate=row["completed"] / done if done else None)


@router.get("/documents/{document_id}", responses=refusals())
async def get_document(document_id: Name, services: Opened) -> Document:
    """Return a document."""
    text = await services.database.document(document_id)
    if text is None:
        raise unknown("document", document_id)
    return Document(text=text)


@router.put("/documents/{document_id}", status_code=204, responses=refusals(body=True))
async def put_document(document_id: Name, document: Document, services: Opened) -> None:
    """Store a document, in place of one with the same id."""
    await services.database.put_document(document_id, document.text)


@router.get("/health", responses={503: {"model": Health}})
async def get_health(services: Opened, response: Response) -> Health:
    """Ask Postgres and Redis; 503 names the one that did not answer."""
    with suppress_instrumentation():  # asked every few seconds, told by one span
        answers = await asyncio.gather(
            why_lost(services.database.ping()), why_lost(services.queue.ping())
        )
    lost = {name: why for name, why in zip(("postgres", "redis"), answers, strict=True) if why}
    if not lost:
        return Health(status="ok")
    # Addresses and users are in the reasons: they stay in the log.
    logger.warning("Health check failed", extra=lost)
    response.status_code = 503
    return Health.model_validate({"status": "unavailable", **dict.fromkeys(lost, "lost")})


async def why_lost(question: Awaitable[None]) -> str:
    """Return why the server did not answer, or an empty string."""
    try:
        await asyncio.wait_for(question, HEALTH_SECONDS)
    except LOST_SERVER as error:
        return reason(error)
    return ""


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
            gauges.observe_pool(services.database, settings.postgres_db)
            gauges.observe_queue(gauge_client(settings), settings.task_queue)
            gauges.observe_open_connections()
            logger.info("API started", extra={"version": __version__})
            yield
            logger.info("API stopped", extra={"version": __version__})


def create_app(settings: Settings) -> FastAPI:
    """Make the application. Raises `telemetry.TelemetryError`."""
    app = FastAPI(
        title="Agentical",
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,  # the redirect would go where the Host header says
    )
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
    uvicorn.run(
        app, host=settings.api_host, port=settings.api_port, access_log=False, server_header=False
    )
