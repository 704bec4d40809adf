"""The producers: each is started as its own server process, as its users start it."""

import functools
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from otelcol_runner.ports import accepts
from otelcol_runner.process import Process

from stack.paths import ROOT
from tests.support import node
from tests.support.service import inherited

SERVICES = "tests.producers.services"
NODE = Path(__file__).parent / "services" / "node"
PORT, HTTP, GRPC = "PORT", "OTLP_OVER_HTTP", "OTLP_OVER_GRPC"  # replaced by the addresses of a run
# For every producer.
COMMON = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": HTTP,
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_SAMPLER": "always_on",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
}
# What the table asks each of them for.
ASKED = {
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "x-tenant",
    "OTEL_PYTHON_EXCLUDED_URLS": "health",
}
QUICK = {
    "OTEL_BSP_SCHEDULE_DELAY": "5000",  # a process still holds its last span when it is stopped
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    "OTEL_METRIC_EXPORT_INTERVAL": "500",
    PORT: PORT,  # for Node.js
}
FASTAPI = "/items/{item}"
BIN = Path(sys.executable).parent
UVICORN = (sys.executable, "-m", "uvicorn", f"--port={PORT}")
GUNICORN = (
    *(sys.executable, "-m", "gunicorn", "--threads=4", "--no-control-socket"),
    f"--bind=127.0.0.1:{PORT}",
)
INSTRUMENT = (str(BIN / "opentelemetry-instrument"),)


@dataclass(frozen=True)
class Producer:
    """A service, and the way it is instrumented.

    Attributes:
        name: its `service.name`.
        way: what the table calls it.
        argv: the command, in which PORT is the port.
        env: the variables of this way, on top of `COMMON`.
        route: how it writes the route of `/items/1`.
        prepare: does what a start needs, such as fetching packages, and returns more variables.
        section: the heading in docs/producers.md whose block has its variables, if it has any.
        stop: the signal that ends it.
    """

    name: str
    way: str
    argv: tuple[str, ...]
    route: str
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], Mapping[str, str]] = dict
    section: str = ""
    stop: signal.Signals = signal.SIGTERM

    def process(self, port: int, http: str, grpc: str) -> Process:
        """Return its process, which is not started yet."""
        variables = {
            **COMMON,
            **ASKED,
            **QUICK,
            "OTEL_SERVICE_NAME": self.name,
            **self.env,
            **self.prepare(),
        }
        places = {PORT: str(port), HTTP: http, GRPC: grpc}
        return Process(
            self.name,
            [replaced(part, places) for part in self.argv],
            env={**own(), **{name: replaced(it, places) for name, it in variables.items()}},
            clean_env=True,
            ready=functools.partial(accepts, port),
            ready_timeout=60.0,  # all start at once
            stop_signal=self.stop,
            cwd=ROOT,
        )


def own() -> dict[str, str]:
    """Return this process's variables without those that a producer reads."""
    return {name: it for name, it in inherited().items() if not name.startswith("LOGFIRE_")}


def replaced(text: str, places: Mapping[str, str]) -> str:
    for place, found in places.items():
        text = text.replace(place, found)
    return text


def with_packages() -> dict[str, str]:
    """Return where Node.js finds the packages of the lock file."""
    return {"NODE_PATH": str(node.packages(NODE))}


PRODUCERS = (
    Producer(
        "own-fastapi",
        "FastAPI's own, no code",
        (*UVICORN, f"{SERVICES}.plain:app"),
        FASTAPI,
        {"FASTAPI_OTEL_AUTO_CONFIGURE": "true"},
        section="FastAPI's own",
    ),
    Producer("bootstrap", "`app/telemetry.py`", (*UVICORN, f"{SERVICES}.bootstrap:app"), FASTAPI),
    Producer(
        "instrumented",
        "`opentelemetry-instrument`, FastAPI",
        (*INSTRUMENT, *UVICORN, f"{SERVICES}.plain:app"),
        FASTAPI,
    ),
    Producer(
        "instrumented-grpc",
        "the same over gRPC, ended by SIGINT",
        (*INSTRUMENT, *UVICORN, f"{SERVICES}.plain:app"),
        FASTAPI,
        {"OTEL_EXPORTER_OTLP_ENDPOINT": GRPC, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        section="Over gRPC",
        stop=signal.SIGINT,
    ),
    Producer(
        "logfire",
        "`logfire`, `send_to_logfire=False`",
        (*UVICORN, f"{SERVICES}.with_logfire:app"),
        FASTAPI,
    ),
    Producer(
        "logfire-base-url",
        "`logfire`, `LOGFIRE_BASE_URL`",
        (*UVICORN, f"{SERVICES}.with_logfire:app"),
        FASTAPI,
        {
            "LOGFIRE_BASE_URL": HTTP,
            "LOGFIRE_TOKEN": "any",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "",
        },
        section="The logfire SDK",
    ),
    Producer(
        "with-flask",
        "`opentelemetry-instrument`, Flask",
        (*INSTRUMENT, *GUNICORN, f"{SERVICES}.with_flask:app"),
        "/items/<int:item>",
    ),
    Producer(
        "with-django",
        "`opentelemetry-instrument`, Django",
        (*INSTRUMENT, *GUNICORN, f"{SERVICES}.with_django:application()"),
        "items/<int:item>",
        {"DJANGO_SETTINGS_MODULE": f"{SERVICES}.with_django"},
        section="opentelemetry-instrument",
    ),
    Producer(
        "with-express",
        "Node.js, Express",
        (str(node.node()), str(NODE / "service.js")),
        "/items/:item",
        {
            "NODE_OPTIONS": "--require @opentelemetry/auto-instrumentations-node/register",
            "OTEL_NODE_ENABLED_INSTRUMENTATIONS": "http,express",
        },
        with_packages,
        section="Node.js",
    ),
)
