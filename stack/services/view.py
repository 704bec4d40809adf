"""The page that shows both sides, as a process."""

import sys
from collections.abc import Mapping
from pathlib import Path

from otelcol_runner.ports import place
from otelcol_runner.process import Process

from stack.paths import ROOT
from stack.services.health import answers

NONE = "none"  # as the value of a URL: this backend is left out


class View(Process):
    """The server of the built page on loopback.

    Args:
        port: the port to listen on; `url` is its address.
        files: the folder of the built page.
        backends: `PROMETHEUS_URL`, `LOGFIRE_QUERY_ENDPOINT` with `LOGFIRE_READ_TOKEN`, and
            `ALERTMANAGER_URL`; one that is missing or empty is left out.
        links: `API_URL`, for a link to the API's documentation; others as in `docs/view.md`.
    """

    def __init__(
        self,
        port: int,
        files: Path,
        backends: Mapping[str, str],
        links: Mapping[str, str] | None = None,
    ) -> None:
        self.url = f"http://{place(port)}"
        urls = ("PROMETHEUS_URL", "LOGFIRE_QUERY_ENDPOINT", "ALERTMANAGER_URL")
        super().__init__(
            "view",
            [sys.executable, "-m", "stack.view"],
            env={
                "VIEW_LISTEN": place(port),
                "VIEW_FILES": str(files),
                "PYDANTIC_DISABLE_PLUGINS": "__all__",  # starts faster
                **(links or {}),
                **backends,
                **{name: backends.get(name) or NONE for name in urls},
            },
            cwd=ROOT,
            ready=lambda: answers(f"{self.url}/boards/index.json"),
        )
