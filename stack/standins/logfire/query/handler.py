"""The reading side: `POST /v2/query` and what the query clients ask besides."""

import asyncio

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from stack.standins.logfire.faults import CuttingProtocol
from stack.standins.logfire.query.engine import Query, SqlError, run
from stack.standins.logfire.query.formats import choose, encode
from stack.standins.logfire.store import Store
from stack.standins.logfire.tokens import accepts_token

MAX_QUERY_BYTES = 1_000_000
AT_ONCE = 4  # queries that run at the same time: the bound on their memory


class Reading:
    """The handlers that need the read token."""

    def __init__(self, store: Store, token: str) -> None:
        self.store, self.token = store, token
        self.turn = asyncio.Semaphore(AT_ONCE)

    async def query(self, request: Request) -> Response:
        """Answer one query; a mistake in it is a 4xx with a sentence."""
        if refused := self._refused(request):
            return refused
        if int(request.headers.get("content-length", MAX_QUERY_BYTES)) >= MAX_QUERY_BYTES:
            return problem(413, "a query may have 1 MB at most, and must tell its length")
        try:
            query = Query.model_validate_json(await request.body())
        except ValidationError as error:
            return problem(422, sentence(error))
        try:
            async with self.turn:
                body, kind = await run_in_threadpool(self._run, query, request)
        except SqlError as error:
            return problem(400, error.message)
        return Response(body, media_type=kind)

    def _run(self, query: Query, request: Request) -> tuple[bytes, str]:
        kind = choose(request.headers.get("accept", ""))
        return encode(run(query, self.store), kind, include_schema=query.include_schema), kind

    async def info(self, request: Request) -> Response:
        """Say whose data the token reads."""
        names = {"organization_name": "local", "project_name": "stand-in"}
        return self._refused(request) or JSONResponse(names)

    def _refused(self, request: Request) -> Response | None:
        if CuttingProtocol.faults.down == "503":
            return problem(503, "told to be down")
        if not accepts_token(request, self.token):
            return problem(401, "invalid read token")
        return None


def problem(status: int, detail: str) -> Response:
    """Return an error as RFC 9457 has it."""
    body = {"type": "about:blank", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def sentence(error: ValidationError) -> str:
    """Return what is wrong with a query's body."""
    return "; ".join(
        f"{'.'.join(map(str, part['loc'])) or 'body'}: {part['msg']}" for part in error.errors()
    )
