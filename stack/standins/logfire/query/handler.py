"""The query API: `POST /v2/query`, and the token check of the query clients."""

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
MAX_CONCURRENT = 4  # concurrent queries: limits their memory


class QueryApi:
    """The handlers that require the read token."""

    def __init__(self, store: Store, token: str) -> None:
        self.store, self.token = store, token
        self.turn = asyncio.Semaphore(MAX_CONCURRENT)

    async def query(self, request: Request) -> Response:
        """Answer one query; an error in it is a 4xx with a message."""
        if refused := self._refused(request):
            return refused
        if int(request.headers.get("content-length", MAX_QUERY_BYTES)) >= MAX_QUERY_BYTES:
            return problem(413, "a query needs a Content-Length of less than 1 MB")
        try:
            query = Query.model_validate_json(await request.body())
        except ValidationError as error:
            return problem(422, problems_of(error))
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
        """Return the organization and project of the token."""
        names = {"organization_name": "local", "project_name": "stand-in"}
        return self._refused(request) or JSONResponse(names)

    def _refused(self, request: Request) -> Response | None:
        if CuttingProtocol.faults.down == "503":
            return problem(503, "down because of the fault `down`")
        if not accepts_token(request, self.token):
            return problem(401, "invalid read token")
        return None


def problem(status: int, detail: str) -> Response:
    """Return an error response as in RFC 9457."""
    body = {"type": "about:blank", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def problems_of(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, part['loc'])) or 'body'}: {part['msg']}" for part in error.errors()
    )
