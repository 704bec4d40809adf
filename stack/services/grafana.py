"""Grafana, if it is installed. It is never built here: its Go module has no web pages."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from otelcol_runner.ports import host_of, place
from otelcol_runner.process import Process

from stack.paths import GRAFANA
from stack.services.health import answers
from stack.tools.finding import on_path
from stack.tools.programs import Program

PROGRAM = Program("grafana", (12, 0, 0))


class Grafana(Process):
    """Grafana with the repository's data sources and dashboards, readable without a login."""

    def __init__(self, binary: Path, port: int, data: Path, sources: Mapping[str, str]) -> None:
        self.url = f"http://{place(port)}"
        settings = {
            "GF_SERVER_HTTP_ADDR": host_of(port),
            "GF_SERVER_HTTP_PORT": f"{port:d}",
            "GF_PATHS_DATA": str(data),
            "GF_PATHS_LOGS": str(data / "log"),
            "GF_PATHS_PLUGINS": str(data / "plugins"),
            "GF_PATHS_PROVISIONING": str(GRAFANA / "provisioning"),
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(GRAFANA / "generated/overview.json"),
            "DASHBOARDS_DIR": str(GRAFANA / "generated"),
        }
        super().__init__(
            "grafana",
            [binary, "server", f"--homepath={home(binary)}"],
            env={**settings, **sources},
            ready=lambda: answers(f"{self.url}/api/health"),
            ready_timeout=60.0,
        )


def find() -> Path | None:
    return on_path(PROGRAM)


def home(binary: Path) -> Path:
    """Return the folder with Grafana's web pages: next to the binary, or where packages put it."""
    real = Path(shutil.which(binary) or binary).resolve()
    candidates = (real.parent.parent, real.parent.parent / "share" / "grafana")
    system = Path("/usr/share/grafana")
    return next((path for path in candidates if (path / "public").is_dir()), system)
