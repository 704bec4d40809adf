"""A FastAPI service on this project's bootstrap."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import telemetry
from tests.producers.services.routes import add_routes


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    with telemetry.exporting("bootstrap", "1.0.0"):
        yield


app = FastAPI(lifespan=lifespan)
telemetry.instrument(app)
add_routes(app)
