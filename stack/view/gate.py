"""What every request has to pass, and what every response carries.

The server has no login: who reaches its port may read. So that a web page elsewhere cannot read
through a visitor's browser, the `Host` header must name this server (else a name of the attacker's
could be pointed at loopback, "DNS rebinding"), and requests for data must come from this page.
"""

import re

from otelcol_runner.loopback import is_loopback
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = {"GET", "HEAD", "POST"}
DATA = ("/api/", "/boards/")
HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?", re.IGNORECASE)
OWN_PAGE = {"", "same-origin", "none"}  # of Sec-Fetch-Site; "none" is the address bar
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Gate:
    """Refuses what is not for this server, and adds the security headers to all responses.

    Args:
        app: what answers the rest.
        hosts: names of this server besides loopback's, in lower case.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        answer = self.refusal(scope) or self.app
        await answer(scope, receive, secured)

    def refusal(self, scope: Scope) -> Response | None:
        """Return why a request is refused, None if it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not self.is_own(host):
            return refused(403, "add the name in the address bar to VIEW_ALLOWED_HOSTS")
        if scope["method"] not in METHODS:
            return refused(405, "this server only reads")
        if scope["path"].startswith(DATA) or scope["method"] == "POST":
            if b"%" in scope["raw_path"]:
                return refused(404, "no path of the data is written with %")
            origin = headers.get("origin", f"http://{host}").lower()
            if origin not in {f"http://{host}", f"https://{host}"}:
                return refused(403, "only the page of this server may ask")
            if headers.get("sec-fetch-site", "") not in OWN_PAGE:
                return refused(403, "only the page of this server may ask")
        return None

    def is_own(self, host: str) -> bool:
        """Return whether a `Host` header names this server, on any port: it may be forwarded."""
        found = HOST.fullmatch(host)
        if found is None:
            return False
        return found[1].strip("[]") in self.hosts or is_loopback(f"http://{found[1]}")


def refused(status: int, reason: str) -> Response:
    return PlainTextResponse(f"refused: {reason}\n", status)
