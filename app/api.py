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
from fastapi_offline import FastAPIOffline
from opentelemetry.instrumentation.utils import suppress_instrumentation

from app import __version__, gauges, telemetry
from app.connections import Connections, connect, gauge_client
from app.errors import SERVER_LOST_ERRORS, reason
from app.messages import Document, Health, Name, NewTask, Queued, Stats, TaskState
from app.refusals import BodyLimit, PlainStart, add_refusals, refusals
from app.settings import Settings, SettingsError, load
from app.tasks.handlers import Task

SERVICE = "agentical-api"
HEALTH_SECONDS = 1.5
logger = logging.getLogger("app.api")
router = APIRouter()


def connections_of(request: Request) -> Connections:
    connections: Connections = request.app.state.connections
    return connections


Connected = Annotated[Connections, Depends(connections_of)]


@router.post("/agents/{agent_id}/tasks", status_code=202, responses=refusals(body=True))
async def add_task(agent_id: Name, new: NewTask, connections: Connected) -> Queued:
    """Queue a task for an agent."""
    task = Task(str(uuid.uuid4()), agent_id, new.task_type, new.text)
    if not await connections.database.add_task(task):
        raise not_found("agent", agent_id)
    try:
        await connections.queue.send(task)
    except SERVER_LOST_ERRORS:
        await connections.database.forget_task(task)
        raise
    return Queued(task_id=uuid.UUID(task.task_id))


@router.get("/tasks/{task_id}", responses=refusals())
async def get_task(task_id: uuid.UUID, connections: Connected) -> TaskState:
    """Return a task's status, and its result once it is finished."""
    row = await connections.database.task(task_id)
    if row is None:
        raise not_found("task", str(task_id))
    return TaskState(**row)


@router.get("/agents/{agent_id}/stats", responses=refusals())
async def get_stats(agent_id: Name, connections: Connected) -> Stats:
    """Return how many tasks an agent completed and failed, and how long they took."""
    row = await connections.database.stats(agent_id)
    if row is None:
        raise not_found("agent", agent_id)
    done = row["completed"] + row["failed"]
    return Stats(**row, success_rate=row["completed"] / done if done else None)


@router.get("/documents/{document_id}", responses=refusals())
async def get_document(document_id: Name, connections: Connected) -> Document:
    """Return a document."""
    text = await connections.database.document(document_id)
    if text is None:
        raise not_found("document", document_id)
    return Document(text=text)


@router.put("/documents/{document_id}", status_code=204, responses=refusals(body=True))
async def put_document(document_id: Name, document: Document, connections: Connected) -> None:
    """Create or replace a document."""
    await connections.database.put_document(document_id, document.text)


@router.get("/health", responses={503: {"model": Health}})
async def get_health(connections: Connected, response: Response) -> Health:
    """Check Postgres and Redis; a 503 names the one that did not answer."""
    with suppress_instrumentation():  # probed every few seconds: one span is enough
        answers = await asyncio.gather(
            failure_of(connections.database.ping()), failure_of(connections.queue.ping())
        )
    lost = {name: why for name, why in zip(("postgres", "redis"), answers, strict=True) if why}
    if not lost:
        return Health(status="ok")
    # The reasons contain addresses and user names, so they go to the log only.
    logger.warning("Health check failed", extra=lost)
    response.status_code = 503
    return Health.model_validate({"status": "unavailable", **dict.fromkeys(lost, "lost")})


async def failure_of(check: Awaitable[None]) -> str:
    """Return why the check failed, or an empty string."""
    try:
        await asyncio.wait_for(check, HEALTH_SECONDS)
    except SERVER_LOST_ERRORS as error:
        return reason(error)
    return ""


def not_found(kind: str, name: str) -> HTTPException:
    return HTTPException(404, f"there is no {kind} {name!r}")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start telemetry and connections in the process that serves, and close them in order."""
    settings: Settings = app.state.settings
    with telemetry.exporting(SERVICE, __version__):
        async with connect(settings) as connections:
            app.state.connections = connections
            gauges.observe_pool(connections.database, settings.postgres_db)
            gauges.observe_queue(gauge_client(settings), settings.task_queue)
            gauges.observe_open_connections()
            logger.info("API started", extra={"version": __version__})
            yield
            logger.info("API stopped", extra={"version": __version__})


def create_app(settings: Settings) -> FastAPI:
    """Create the application; raises `telemetry.TelemetryError`."""
    app = FastAPIOffline(  # its pages of documentation need no other host
        title="Agentical",
        version=__version__,
        lifespan=lifespan,
        telemetry=telemetry.FASTAPI_OFF,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would trust the Host header
    )
    app.state.settings = settings
    app.include_router(router)
    app.add_middleware(PlainStart)
    app.add_middleware(BodyLimit, max_bytes=settings.api_max_body_bytes)
    add_refusals(app)
    telemetry.instrument(app)
    return app


def app_from_environment() -> FastAPI:
    """Create the application from the environment; a bad variable exits with 1 and a message."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        return create_app(load())
    except (SettingsError, telemetry.TelemetryError) as error:
        sys.exit(f"{SERVICE}: {error}")


app = app_from_environment()

if __name__ == "__main__":
    settings = app.state.settings
    uvicorn.run(
        app,
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,  # every request is a span
        server_header=False,
        reset_contextvars=True,  # else requests join another one's trace: see `app.telemetry`
    )
