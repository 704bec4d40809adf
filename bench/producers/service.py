"""Two applications with several ways to create telemetry, which `measure.py` compares.

`python -m bench.producers.service APPLICATION VARIANT PORT` serves one.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Annotated

import uvicorn
from fastapi import APIRouter, FastAPI, Path
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel

from app import telemetry
from bench.producers import original

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
FASTAPI = "FastAPI's own"
TRACED = {"ours", FASTAPI, *original.VARIANTS} - {"prometheus_client alone"}
SPANS_ONLY: TelemetryConfig = {"metrics": False, "logs": False, "operation_spans": False}
router = APIRouter()


class Document(BaseModel):
    """The answer of the small handler."""

    document_id: str
    text: str


@router.get("/documents/{document_id}")
async def get_document(document_id: Name) -> Document:
    """Respond as the API's handler of this path does, without its database."""
    return Document(document_id=document_id, text="Telemetry is cheap to make, dear to keep.")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Export while the application runs."""
    with telemetry.exporting("bench", "1.0.0"):
        yield


def documents() -> FastAPI:
    """Make an application with only the small handler."""
    app = FastAPI(lifespan=lifespan, telemetry=telemetry.FASTAPI_OFF)
    app.include_router(router)
    telemetry.instrument(app)
    return app


def tasks() -> FastAPI:
    """Return the real API, on real Postgres and Redis."""
    from app import api

    return api.app


APPLICATIONS = {"documents": documents, "tasks": tasks}


def application(name: str, variant: str) -> FastAPI:
    """Make an application: `ours` as it is, `bare` without telemetry, or with another's."""
    if variant == FASTAPI:
        instrument = telemetry.instrument
        telemetry.instrument = lambda app=None: instrument()
        telemetry.FASTAPI_OFF = SPANS_ONLY
    elif variant != "ours":
        telemetry.instrument = lambda app=None: None
        telemetry.exporting = lambda *_: nullcontext()  # type: ignore[assignment]
        telemetry.FASTAPI_OFF = {}  # its default
    app = APPLICATIONS[name]()
    for add in original.VARIANTS.get(variant, ()):
        add(app)
    return app


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[1], sys.argv[2]),
        port=int(sys.argv[3]),
        access_log=False,
        reset_contextvars=True,
        log_level="warning",
    )
