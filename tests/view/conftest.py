from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from otelcol_runner.ports import free_port

from stack.services.alertmanager import Alertmanager
from stack.services.prometheus import Prometheus
from stack.services.stand_in import StandIn
from stack.services.view import View

TOKEN = "read-token-of-the-view"


@dataclass(frozen=True)
class Site:
    """The page's server in front of real backends, and a client without its proxies."""

    view: View
    prometheus: Prometheus
    stand_in: StandIn
    alertmanager: Alertmanager
    client: httpx.Client


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files as vite writes them; the server does not care what is in them."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<title>the page</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-1a2b3c.js").write_text("let page = 1")
    return folder


@pytest.fixture(scope="session")
def site(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("site")
    with (
        Prometheus(free_port(), data / "prometheus") as prometheus,
        StandIn(free_port(), read_token=TOKEN) as stand_in,
        Alertmanager(
            free_port(),
            data / "alertmanager",
            {"pager": "http://127.0.0.1:9", "tickets": "http://127.0.0.1:9"},
        ) as alertmanager,
    ):
        backends = {
            "PROMETHEUS_URL": prometheus.url,
            "LOGFIRE_QUERY_ENDPOINT": stand_in.url,
            "LOGFIRE_READ_TOKEN": TOKEN,
            "ALERTMANAGER_URL": alertmanager.url,
        }
        with (
            View(free_port(), files, backends, {"API_URL": "http://127.0.0.1:8000"}) as view,
            httpx.Client(base_url=view.url, trust_env=False) as client,
        ):
            yield Site(view, prometheus, stand_in, alertmanager, client)
