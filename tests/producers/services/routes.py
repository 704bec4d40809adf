"""The routes of the FastAPI services, which all of tests/producers/services/ have in their way."""

import logging

from fastapi import FastAPI, HTTPException

mounted = FastAPI()


@mounted.get("/things/{thing}")
async def thing(thing: str) -> str:
    return thing


def add_routes(app: FastAPI) -> None:
    """Add the routes that `tests.producers.traffic` requests."""

    @app.get("/items/{item}")
    async def item(item: int) -> int:
        return item

    @app.post("/orders", status_code=201)
    async def order() -> str:
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

    app.mount("/v2", mounted)
