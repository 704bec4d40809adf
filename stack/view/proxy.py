"""Passes on requests to a backend: to fixed paths, with nothing of the browser's but the query."""

import logging
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from stack.clients import http

MAX_BODY = 1_000_000  # bytes of a request
TIMEOUT = httpx.Timeout(60.0, connect=5.0)  # seconds; the backends end long queries themselves
PASSED_ON = ("accept", "content-type")
LAST_STATUS = 599
UNFIT = (
    "this request cannot be passed on: its query may have 65,536 bytes without # or spaces, its "
    "headers ASCII only; send a longer query as POST"
)
log = logging.getLogger(__name__)


class Backend:
    """A server behind this one.

    Args:
        name: what people call it, for errors.
        url: its URL; the path stays in front of each request's, user and password are sent.
        token: a bearer token to send.

    Raises:
        UserError: the proxy in the environment cannot be used.
    """

    def __init__(self, name: str, url: str, token: str = "") -> None:
        self.name, self.url = name, url
        headers = {"authorization": f"Bearer {token}"} if token else {}
        # No cookie of a backend is kept: it would be sent with the requests of others.
        none = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self.client = http.async_client(url, headers=headers, timeout=TIMEOUT, cookies=none)

    async def forward(self, request: Request, path: str) -> Response:
        """Ask the backend the request's query or body at a path, and stream its answer."""
        body = await limited_body(request)
        if body is None:
            return problem(413, "too_large", f"a request may have {MAX_BODY} bytes at most")
        try:
            asked = self.asked(request, path, body)
        except (httpx.InvalidURL, ValueError):
            return problem(400, "bad_data", UNFIT)
        try:
            answer = await self.client.send(asked, stream=True)
        except httpx.HTTPError as error:
            return problem(502, "unavailable", f"{self} does not answer: {reason(error)}")
        if not 200 <= answer.status_code <= LAST_STATUS:
            await answer.aclose()
            status = f"its status is {answer.status_code}"
            return problem(502, "unavailable", f"{self} does not answer in HTTP: {status}")
        kind = answer.headers.get("content-type")
        headers = {"content-type": kind} if kind else {}
        return StreamingResponse(streamed(answer), answer.status_code, headers)

    def asked(self, request: Request, path: str, body: bytes) -> httpx.Request:
        """Return what to send; raises `httpx.InvalidURL`, `ValueError` for what HTTP excludes."""
        url = httpx.URL(self.url + path).copy_with(query=request.scope["query_string"] or None)
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        return self.client.build_request(request.method, url, headers=headers, content=body)

    def __str__(self) -> str:
        return f"{self.name} at {httpx.URL(self.url).copy_with(userinfo=b'')}"


async def limited_body(request: Request) -> bytes | None:
    """Return the body, None if it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


async def streamed(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the body; it ends early where the backend breaks off or its compression is damaged."""
    try:
        async for part in answer.aiter_bytes():
            yield part
    except httpx.HTTPError as error:
        log.warning("an answer is cut off: %s", reason(error))
    finally:
        await answer.aclose()


def reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    return str(error) or type(error).__name__


def problem(status: int, kind: str, sentence: str) -> Response:
    """Return an error in the form that Prometheus gives its own."""
    return JSONResponse({"status": "error", "errorType": kind, "error": sentence}, status)
