"""The whole pipeline on one machine: started in parallel, stopped in order, nothing left behind."""

import os
import platform
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self
from urllib.parse import quote

from otelcol_runner.ports import host_of, place
from otelcol_runner.process import Process

from stack.errors import UserError
from stack.paths import PROMETHEUS
from stack.pipeline.configs import Config, standalone
from stack.pipeline.interrupts import undisturbed
from stack.pipeline.ports import Ports
from stack.pipeline.startup import start_all, stop_all
from stack.services import guard
from stack.services.alertmanager import Alertmanager
from stack.services.collector import Collector, config_file
from stack.services.folders import scratch
from stack.services.guard import Guard
from stack.services.notifications import NotificationRecorder
from stack.services.postgres import Postgres
from stack.services.producers import Api, Worker, telemetry
from stack.services.prometheus import Prometheus
from stack.services.redis import Redis
from stack.services.retention import DEFAULT as DEFAULT_RETENTION
from stack.services.stand_in import StandIn
from stack.services.view import View
from stack.services.window import Window, remove, variables_of_window
from stack.standins.logfire import READ_TOKEN, WRITE_TOKEN
from stack.tools import toolchain
from stack.tools.programs import COLLECTOR_TOOL, RUN
from stack.tools.progress import Report


@dataclass(frozen=True)
class Destination:
    """A Logfire to send to and to ask; with an empty read token it cannot be asked."""

    endpoint: str
    token: str
    query_endpoint: str
    read_token: str


class Pipeline:
    """API, worker, collector, their databases and both backends as one context manager.

    Args:
        ports: where each part listens; free ones by default.
        environment: a file of `collector/environments/`.
        route: a file of `collector/routes/`; Prometheus starts only if it writes there.
        overlays: files of `collector/overlays/`, loaded last, or paths.
        window: a file of `collector/window/`; the environment's by default. Where this machine has
            no memory for it, `none`, unless it is given.
        variables: added to the collector's; those of OpenTelemetry's SDK, to the producers'.
        logfire: the service to send to; the stand-in by default.
        receivers: addresses of Alertmanager's receivers; where one is not among them, the recorder.
        retention: how long Prometheus keeps its data.
        metrics_home: the folder with Prometheus' and Alertmanager's configuration and rules.
        page: the folder of the built page, to serve it at Grafana's port.
        extras: further servers by the name of their port in `Ports`; each is made from the port
            and a folder for its state, carries that name, and may fail to start.
        report: told each step in a line.

    While it runs, `postgres`, `redis`, `guard`, `collector`, `api` and `worker` are processes, and
    so are `stand_in`, `view`, and `prometheus` with its `alertmanager` and `recorder`, where they
    are part of it.
    """

    # Variables of overlays that have no default, and that a pipeline sets.
    GIVEN = ("LOGFIRE_TOKEN_SECOND",)

    postgres: Postgres
    redis: Redis
    guard: Guard
    collector: Collector
    api: Api
    worker: Worker

    def __init__(
        self,
        ports: Ports | None = None,
        *,
        environment: str = "development",
        route: str = "hybrid",
        overlays: Sequence[str] = (),
        window: str = "",
        variables: Mapping[str, str] | None = None,
        logfire: Destination | None = None,
        receivers: Mapping[str, str] | None = None,
        retention: str = DEFAULT_RETENTION,
        metrics_home: Path = PROMETHEUS,
        page: Path | None = None,
        extras: Mapping[str, Callable[[int, Path], Process]] | None = None,
        report: Report = lambda line: None,
    ) -> None:
        self.ports = ports or Ports.free()
        self.environment, self.route, self.overlays = environment, route, overlays
        self.window = window
        for config in self.configs:
            config_file(config)  # a name with no file is told before anything starts
        self.variables = dict(variables or {})
        self.local_logfire = logfire is None
        self.logfire = logfire or stand_in_at(self.ports.logfire)
        self.receivers, self.metrics_home = dict(receivers or {}), metrics_home
        self.retention = retention
        self.page, self.page_url = page, f"http://{place(self.ports.grafana)}" if page else ""
        self.extras, self.report = dict(extras or {}), report
        self.api_url = f"http://{place(self.ports.api)}"
        self.otlp_url = f"http://{place(self.ports.otlp_http)}"
        self.self_metrics_url = f"http://{place(self.ports.self_metrics)}/metrics"
        self.prometheus_url = f"http://{place(self.ports.prometheus)}"
        self.logfire_url, self.read_token = self.logfire.query_endpoint, self.logfire.read_token
        self.uses_prometheus = self.route_has("prometheus_remote_write")
        self.remote_write_url = f"{self.prometheus_url}/api/v1/write"
        self.stand_in: StandIn | None = None
        self.prometheus: Prometheus | None = None
        self.alertmanager: Alertmanager | None = None
        self.recorder: NotificationRecorder | None = None
        self.view: View | None = None
        self.processes: list[Process] = []
        self.window_variables: dict[str, str] = {}
        self.state = Path()

    def __enter__(self) -> Self:
        self.ports.check(self._ports_used())
        self._provide_tools()
        self.state = scratch("pipeline")
        try:
            self._provide_window()
            self._start_servers()
            self._start_producers()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def configs(self) -> list[Config]:
        """The collector's files in their order."""
        return standalone(self.environment, self.route, self.overlays, window=self.window)

    @property
    def logs(self) -> Path:
        """The folder of the processes' output, one file each; gone after the stop."""
        return self.state / "logs"

    def route_has(self, word: str) -> bool:
        """Return whether the route's own file names a component or a pipeline."""
        return word in config_file(f"routes/{self.route}").read_text()

    def close(self) -> None:
        """Stop the producers, then the collector, then the servers; then remove all state."""
        producers = [part for part in self.processes if isinstance(part, (Api, Worker))]
        collectors = [part for part in self.processes if isinstance(part, Collector)]
        servers = [part for part in self.processes if part not in producers + collectors]
        with undisturbed():
            for wave in (producers, collectors, servers):
                stop_all(wave)
            if self.state != Path():
                shutil.rmtree(self.state)
                self.state = Path()
            remove(self.window_variables, self._chosen)

    def _ports_used(self) -> set[str]:
        used = {"api", "otlp_grpc", "otlp_http", "health", "self_metrics", "self_otlp"}
        used |= {"postgres", "redis", "guard", "guard_metrics"}
        used |= {"logfire"} if self.local_logfire else set()
        if self.uses_prometheus:
            used |= {"prometheus", "metrics_buffer", "alertmanager", "recorder"}
        used |= {"scrape"} if "also-scrape" in self.overlays else set()
        used |= {"grafana"} if self.page else set()
        return used | set(self.extras)

    def _provide_tools(self) -> None:
        toolchain.provide_all(RUN if self.uses_prometheus else [COLLECTOR_TOOL], self.report)

    def _provide_window(self) -> None:
        if not self.has_window:
            return
        try:
            self.window_variables = variables_of_window(self._chosen)
        except UserError as error:
            if self.window or self._chosen.get("SAMPLING_WINDOW_DIR"):
                raise
            self.report(f"no sampling window, so a killed collector loses spans: {error}")
            self.window = "none"

    @property
    def has_window(self) -> bool:
        """Whether what waits for the sampler is in files, too."""
        return "window/production" in map(str, self.configs)

    @property
    def _chosen(self) -> dict[str, str]:
        return {**os.environ, **self.variables}

    def _start_servers(self) -> None:
        ports, password = self.ports, secrets.token_urlsafe(16)
        self.postgres = Postgres(ports.postgres, self._folder("postgres"), password=password)
        self.redis_password = secrets.token_urlsafe(16)
        self.redis = Redis(ports.redis, self._folder("redis"), password=self.redis_password)
        wave: list[Process] = [self.postgres, self.redis]
        if self.uses_prometheus:
            wave += self._metrics_side()
        if self.local_logfire:
            self.stand_in = StandIn(ports.logfire)
            wave.append(self.stand_in)
        backends = guard.variables(self.logfire.endpoint, self.remote_write_url)
        self.guard = Guard(ports.guard, ports.guard_metrics, backends)
        wave.append(self.guard)
        if self.has_window:
            wave.append(Window({**self.variables, **self.window_variables}))
        if self.page:
            self.view = View(ports.grafana, self.page, self._backends(), {"API_URL": self.api_url})
            wave.append(self.view)
        for name, make in self.extras.items():
            wave.append(make(getattr(ports, name), self._folder(name)))
        self._start(wave)

    def _backends(self) -> dict[str, str]:
        """Return what the page shows, as far as it is part of the pipeline and can be asked."""
        return {
            "PROMETHEUS_URL": self.prometheus.url if self.prometheus else "",
            "ALERTMANAGER_URL": self.alertmanager.url if self.alertmanager else "",
            "LOGFIRE_QUERY_ENDPOINT": self.logfire_url if self.read_token else "",
            "LOGFIRE_READ_TOKEN": self.read_token,
        }

    def _metrics_side(self) -> list[Process]:
        self.recorder = NotificationRecorder(self.ports.recorder)
        self.alertmanager = Alertmanager(
            self.ports.alertmanager,
            self._folder("alertmanager"),
            {**self.recorder.addresses, **self.receivers},
            config=self.metrics_home / "alertmanager.yml",
        )
        self.prometheus = Prometheus(
            self.ports.prometheus,
            self._folder("prometheus"),
            home=self.metrics_home,
            alertmanager=self.alertmanager.address,
            retention=self.retention,
            external_url=self.page_url,
        )
        return [self.prometheus, self.alertmanager, self.recorder]

    def _start_producers(self) -> None:
        self.collector = Collector(self.configs, self._collector_variables())
        self.api = Api(self.ports.api, self._producer_variables("agentical-api"))
        self.worker = Worker(self.api_url, self._producer_variables("agentical-worker"))
        self._start([self.collector, self.api, self.worker])

    def _start(self, wave: Sequence[Process]) -> None:
        for part in wave:
            part.log = self._folder("logs") / f"{part.name}.log"
        self.processes.extend(wave)
        running = start_all(wave, self.report, optional=self.extras)
        for part in wave:
            if part not in running:
                self.processes.remove(part)
                del self.extras[part.name]

    def _folder(self, name: str) -> Path:
        path = self.state / name
        path.mkdir(exist_ok=True)
        return path

    def _collector_variables(self) -> dict[str, str]:
        ports = self.ports
        return {
            "OTLP_GRPC_LISTEN": place(ports.otlp_grpc),
            "OTLP_HTTP_LISTEN": place(ports.otlp_http),
            "HEALTH_LISTEN": place(ports.health),
            "SELF_METRICS_HOST": host_of(ports.self_metrics),
            "SELF_METRICS_PORT": f"{ports.self_metrics:d}",
            "SELF_OTLP_LISTEN": place(ports.self_otlp),
            "SELF_LAST_REPORT_ENDPOINT": f"{self.prometheus_url}/api/v1/otlp/v1/metrics",
            "SCRAPE_LISTEN": place(ports.scrape),
            "METRICS_BUFFER_LISTEN": place(ports.metrics_buffer),
            "COLLECTOR_QUEUE_DIR": str(self._folder("queue")),
            "LOGFIRE_TOKEN": self.logfire.token,
            "LOGFIRE_TOKEN_SECOND": self.logfire.token,
            **self._endpoints(),
            "HOST_NAME": platform.node(),
            **self._database_variables(),
            **self.variables,
            **self.window_variables,
        }

    def _endpoints(self) -> dict[str, str]:
        logfire = guard.through(self.guard.url, self.logfire.endpoint)
        metrics = guard.through(self.guard.metrics_url, self.remote_write_url)
        return {
            "LOGFIRE_ENDPOINT": logfire,
            "LOGFIRE_ENDPOINT_SECOND": logfire,
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": metrics,
        }

    def _producer_variables(self, name: str) -> dict[str, str]:
        return {
            **self._database_variables(),
            **telemetry(name, self.otlp_url, version("agentical"), self.environment),
            **self._producer_token(),
            **{key: value for key, value in self.variables.items() if key.startswith("OTEL_")},
        }

    def _producer_token(self) -> dict[str, str]:
        """Return the header that the overlay `token` requires."""
        token = {**os.environ, **self.variables}.get("OTLP_TOKEN", "").strip()
        if "token" not in self.overlays or not token:
            return {}
        bearer = quote(f"Bearer {token.split()[0]}", safe="")
        return {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={bearer}"}

    def _database_variables(self) -> dict[str, str]:
        return {
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(self.ports.postgres),
            "POSTGRES_USER": self.postgres.user,
            "POSTGRES_PASSWORD": self.postgres.password,
            "POSTGRES_DB": "agentical",
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.ports.redis),
            "REDIS_PASSWORD": self.redis_password,
        }


def stand_in_at(port: int) -> Destination:
    """Return the stand-in on this port, with the tokens that everybody knows."""
    url = f"http://{place(port)}"
    return Destination(url, WRITE_TOKEN, url, READ_TOKEN)
