"""The application: the service's paths, and `/control` for tests, on loopback only."""

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from stack.standins.logfire.faults import CuttingProtocol, Faults
from stack.standins.logfire.ingest.handler import SIGNALS, Ingest
from stack.standins.logfire.query.handler import QueryApi, problem, problems_of
from stack.standins.logfire.store import Store

LOOPBACK = {"127.0.0.1", "::1"}


def create(*, write_token: str, read_token: str, max_rows: int) -> Starlette:
    store = Store(max_rows)
    queries = QueryApi(store, read_token)
    ingest = Ingest(store, write_token)
    return Starlette(
        routes=[
            *(Route(path, ingest.__call__, methods=["POST"]) for path in SIGNALS),
            Route("/v2/query", queries.query, methods=["POST"]),
            Route("/v1/read-token-info", queries.info, methods=["GET"]),
            Route("/control", Control(store).__call__, methods=["GET", "PUT", "DELETE"]),
            Route("/health", health, methods=["GET"]),
        ]
    )


async def health(_: Request) -> Response:
    """Answer whether or not faults are set."""
    return PlainTextResponse("ok")


class Control:
    """GET: return faults and counts. PUT: replace the faults. DELETE: reset everything."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def __call__(self, request: Request) -> Response:
        if request.client is None or request.client.host not in LOOPBACK:
            return problem(403, "/control answers on loopback only")
        if request.method == "PUT":
            try:
                CuttingProtocol.faults = Faults.model_validate_json(await request.body())
            except ValidationError as error:
                return problem(422, problems_of(error))
        elif request.method == "DELETE":
            CuttingProtocol.faults = Faults()
            self.store.clear()
        faults = CuttingProtocol.faults.model_dump(exclude_defaults=True)
        return JSONResponse({"faults": faults, "counts": self.store.counted()})
