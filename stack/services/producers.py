"""The service's two processes, the API and the worker, configured by variables alone."""

import os
import sys
from collections.abc import Mapping

from otelcol_runner.ports import host_of, place
from otelcol_runner.process import Process

from stack.paths import ROOT
from stack.services.health import answers

# Variables of the shell that a producer must not inherit: it would export past the collector, and
# the demo's API_PORT may hold an address.
NOT_INHERITED = ("OTEL_", "LOGFIRE_", "API_PORT")
# Nor a proxy: Python's clients use it for loopback too, and a producer reaches nothing else.
PROXY = "_PROXY"


class Api(Process):
    def __init__(self, port: int, env: Mapping[str, str]) -> None:
        self.url = f"http://{place(port)}"
        super().__init__(
            "api",
            [sys.executable, "-m", "app.api"],
            env={**inherited(), **env, "API_HOST": host_of(port), "API_PORT": f"{port:d}"},
            clean_env=True,
            ready=lambda: answers(f"{self.url}/health"),
            cwd=ROOT,
        )


class Worker(Process):
    """The worker; it fetches documents from the API at `api_url`."""

    def __init__(self, api_url: str, env: Mapping[str, str]) -> None:
        super().__init__(
            "worker",
            [sys.executable, "-m", "app.worker"],
            env={**inherited(), **env, "API_URL": api_url},
            clean_env=True,
            ready=lambda: "Worker started" in self.output(),
            cwd=ROOT,
        )


def inherited() -> dict[str, str]:
    """Return this process's environment without variables that would redirect it."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(NOT_INHERITED) and not name.upper().endswith(PROXY)
    }


def telemetry(name: str, otlp_url: str, version: str, environment: str) -> dict[str, str]:
    """Return the variables of a producer, with short intervals so that data is visible soon."""
    resource = {"service.version": version, "deployment.environment.name": environment}
    return {
        "OTEL_SERVICE_NAME": name,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{key}={value}" for key, value in resource.items()),
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_url,
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        "OTEL_BSP_SCHEDULE_DELAY": "500",
        "OTEL_BLRP_SCHEDULE_DELAY": "500",
    }
