"""The application: the built page, the dashboards, and the few paths of the backends."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from otelcol_runner.loopback import is_loopback
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from alerts.model import matrix
from app import __version__
from stack.standins.logfire import READ_TOKEN
from stack.view.alerts import Evaluation
from stack.view.boards import FOLDERS, Boards
from stack.view.gate import Gate
from stack.view.proxy import Backend, problem
from stack.view.settings import Settings

READ, ASK = ("GET",), ("GET", "POST")
ASKED = ("query", "query_range", "query_exemplars", "labels", "series", "parse_query")
PROMETHEUS = {
    **dict.fromkeys(ASKED, ASK),
    **dict.fromkeys(("metadata", "rules", "alerts", "status/buildinfo"), READ),
    "label/{label}/values": READ,
}
ALERTMANAGER = dict.fromkeys(("alerts", "silences", "status"), READ)
LOGFIRE = {"query": ("POST",)}
LABEL = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
YEAR = 365 * 24 * 3600  # seconds
Endpoint = Callable[[Request], Awaitable[Response]]


class Assets(StaticFiles):
    """Files with a hash of their content in their names."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers["cache-control"] = f"public, max-age={YEAR}, immutable"
        return response


def create(settings: Settings, folders: Mapping[str, Path] = FOLDERS) -> ASGIApp:
    """Return the application; raises `UserError` if a backend's client cannot be made."""
    boards = Boards(folders)
    backends = [
        (Backend(name, url, token), start, paths)
        for name, url, token, start, paths in (
            ("Prometheus", settings.prometheus, "", "/api/prometheus/api/v1/", PROMETHEUS),
            ("Alertmanager", settings.alertmanager, "", "/api/alertmanager/api/v2/", ALERTMANAGER),
            ("Logfire", settings.logfire, settings.read_token, "/api/logfire/v2/", LOGFIRE),
        )
        if url
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for backend, _start, _paths in backends:
            await backend.client.aclose()

    routes = [
        *chain.from_iterable(passed(*backend) for backend in backends),
        *([Route("/api/logfire-alerts", alerts_of(settings))] if settings.logfire else []),
        Route("/api/config", configuration(settings)),
        Route("/boards/index.json", boards.index),
        Route("/boards/{uid}.json", boards.board),
        *(Route(f"/{folder}/{{path:path}}", not_served) for folder in ("api", "boards")),
        Mount("/assets", Assets(directory=settings.files / "assets")),
        Route("/favicon.svg", file(settings.files / "favicon.svg")),
        Route("/{path:path}", file(settings.files / "index.html")),
    ]
    return Gate(Starlette(routes=routes, lifespan=lifespan), settings.hosts)


def passed(backend: Backend, start: str, paths: Mapping[str, Sequence[str]]) -> Iterator[Route]:
    """Yield the routes that are passed on to a backend, under its own paths."""
    own = "/" + start.split("/", 3)[3]

    def passing(path: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            label = request.path_params.get("label", "")
            if label and not LABEL.fullmatch(label):
                return not_served(request)
            return await backend.forward(request, own + path.format(label=label))

        return endpoint

    for path, methods in paths.items():
        yield Route(start + path, passing(path), methods=methods)


def alerts_of(settings: Settings) -> Endpoint:
    evaluation = Evaluation(settings.logfire, settings.read_token)

    async def endpoint(request: Request) -> Response:
        return JSONResponse(await evaluation.current())

    return endpoint


def configuration(settings: Settings) -> Callable[[Request], Response]:
    local = is_loopback(settings.logfire) or settings.read_token == READ_TOKEN

    def endpoint(request: Request) -> Response:
        found = {
            "version": __version__,
            "prometheus": bool(settings.prometheus),
            "logfire": bool(settings.logfire),
            "logfire_is_stand_in": bool(settings.logfire) and local,
            "logfire_project_url": settings.project_url or None,
            "alertmanager": bool(settings.alertmanager),
            "runbooks": matrix().links.runbooks,
            "swagger": settings.api_docs or None,
        }
        return JSONResponse(found)

    return endpoint


def file(path: Path) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        if not path.is_file():
            return not_served(request)
        return FileResponse(path, headers={"cache-control": "no-cache"})

    return endpoint


def not_served(_: Request) -> Response:
    return problem(404, "not_found", "this path is not served: docs/view.md lists those that are")
