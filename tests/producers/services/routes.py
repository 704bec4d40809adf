"""The routes of the FastAPI services; those of the other services answer the same requests."""

import logging
from collections.abc import Callable

from fastapi import FastAPI, HTTPException

mounted = FastAPI()


@mounted.get("/things/{thing}")
async def thing(thing: str) -> str:
    return thing


def add_routes(app: FastAPI, taken: Callable[[], None] = lambda: None) -> None:
    """Add the routes that `tests.producers.traffic` requests; `taken` is called for each order."""

    @app.get("/items/{item}")
    async def item(item: int) -> int:
        return item

    @app.post("/orders", status_code=201)
    async def order() -> str:
        taken()
        logging.getLogger("shop").warning("order taken")
        return "taken"

    @app.get("/forbidden")
    async def forbidden() -> None:
        raise HTTPException(403)

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError("broken on purpose")

    @app.get("/health")
    async def health() -> str:
        return "well"

    @app.get("/last")
    async def last() -> str:
        return "last"

    app.mount("/v2", mounted)
