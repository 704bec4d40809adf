"""A service with every kind of route and response, instrumented by `app.telemetry`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, BackgroundTasks, FastAPI
from fastapi.responses import JSONResponse, StreamingResponse

from app import telemetry

router = APIRouter(prefix="/shop")
mounted = FastAPI()  # its own telemetry is on


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    with telemetry.exporting("traced", "1.0.0"):
        yield


app = FastAPI(lifespan=lifespan, telemetry=telemetry.FASTAPI_OFF)


@router.get("/items/{item}")
async def item(item: int) -> int:
    return item


@mounted.get("/things/{thing}")
async def thing(thing: str) -> str:
    return thing


@app.get("/broken")
async def broken() -> None:
    raise ValueError("broken on purpose")


@app.get("/away")
async def away() -> JSONResponse:
    return JSONResponse({}, 503)


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"part"
            await asyncio.sleep(0.02)

    return StreamingResponse(parts())


@app.get("/cut")
async def cut() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"part"
        raise OSError("cut on purpose")

    return StreamingResponse(parts())


@app.get("/later")
async def later(after: BackgroundTasks) -> str:
    after.add_task(asyncio.sleep, 1.0)
    return "now"


app.include_router(router)
app.mount("/sub", mounted)
telemetry.instrument(app)
