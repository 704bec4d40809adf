"""The dashboards, read at each request: `make generate` and a reload show an edit."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from stack.paths import ROOT
from stack.view.proxy import problem

FOLDERS = {"prometheus": ROOT / "view" / "generated", "logfire": ROOT / "logfire" / "generated"}
# Read as text: importing it needs Grafana's SDK, which only developers install.
ORDERED_BY = ROOT / "grafana" / "generate.py"
PREFIX = "agentical-"  # of the names of Prometheus' dashboards, not of their files
NOT_READ = "{} is not a dashboard: run `make generate`"
Json = dict[str, Any]


class Boards:
    """The Perses dashboards in a folder for each backend.

    Args:
        folders: the folder by the backend that the dashboards ask, in the order of the list.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self.folders = folders

    def index(self, _: Request) -> Response:
        """Answer with the list of those that can be read."""
        return JSONResponse([entry(backend, board) for backend, board in self.all()])

    def board(self, request: Request) -> Response:
        """Answer with one dashboard."""
        uid = request.path_params["uid"]
        found = next((board for _, board in self.all() if name(board) == uid), None)
        if found:
            return JSONResponse(found)
        for _, path in self.paths():
            if path.stem in {uid, uid.removeprefix(PREFIX)} and read(path) is None:
                return problem(500, "dashboards", NOT_READ.format(path))
        return problem(404, "not_found", f"no dashboard {uid}")

    def all(self) -> Iterator[tuple[str, Json]]:
        """Yield each dashboard that can be read, with its backend."""
        for backend, path in self.paths():
            board = read(path)
            if board:
                yield backend, board

    def paths(self) -> Iterator[tuple[str, Path]]:
        """Yield each file with its backend, in the order of the list."""
        names = order()
        for backend, folder in self.folders.items():
            found = {path.stem: path for path in sorted(folder.glob("*.json"))}
            for stem in [*filter(found.get, names), *(s for s in found if s not in names)]:
                yield backend, found[stem]


def order() -> list[str]:
    """Return the names of Grafana's dashboards, the overview first."""
    made = re.search(r"^MADE = \(([^)]*)\)", ORDERED_BY.read_text(), re.MULTILINE)
    return re.findall(r"\w+", made[1]) if made else []


def read(path: Path) -> Json | None:
    """Return a dashboard, None for a file that is none."""
    try:
        board: Json = json.loads(path.read_text())
        board["metadata"]["name"], board["spec"]["display"]["name"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return board


def name(board: Json) -> str:
    return str(board["metadata"]["name"])


def entry(backend: str, board: Json) -> Json:
    display = board["spec"]["display"]
    return {
        "uid": name(board),
        "title": display["name"],
        "backend": backend,
        "description": display.get("description", ""),
    }
