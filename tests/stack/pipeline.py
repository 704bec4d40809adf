"""Both backends, and collectors in front of them, as the doctor finds them."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from otelcol_runner.ports import free_port

from stack.pipeline.configs import Config, standalone
from stack.services.collector import FEATURE_GATES, Collector
from stack.services.guard import Guard, variables
from stack.services.prometheus import Prometheus
from stack.services.stand_in import StandIn

FILES = standalone("development", "hybrid", infrastructure=())
LISTENERS = (
    *("OTLP_GRPC_LISTEN", "OTLP_HTTP_LISTEN", "HEALTH_LISTEN"),
    *("METRICS_BUFFER_LISTEN", "SELF_OTLP_LISTEN"),
)


class Pipeline:
    """Both backends, and collectors in front of them."""

    def __init__(self, data: Path, stand_in: StandIn, prometheus: Prometheus) -> None:
        self.data, self.stand_in, self.prometheus = data, stand_in, prometheus

    @contextmanager
    def collector(
        self,
        monkeypatch: pytest.MonkeyPatch,
        files: list[Config] = FILES,
        *,
        gate: bool = True,
        guarded: bool = False,
        **changed: str,
    ) -> Iterator[Collector]:
        """Run a collector, and set the doctor's variables to it."""
        env = {name: f"127.0.0.1:{free_port()}" for name in LISTENERS}
        env["SELF_METRICS_PORT"] = str(free_port())
        env["COLLECTOR_QUEUE_DIR"] = str(self.data / env["SELF_METRICS_PORT"])
        env["LOGFIRE_ENDPOINT"] = self.stand_in.url
        env["LOGFIRE_TOKEN"] = self.stand_in.write_token
        env["PROMETHEUS_REMOTE_WRITE_ENDPOINT"] = self.prometheus.remote_write_endpoint
        guard = self.guard() if guarded else None
        if guard is not None:
            env["LOGFIRE_ENDPOINT"] = guard.url
            env["PROMETHEUS_REMOTE_WRITE_ENDPOINT"] = f"{guard.metrics_url}/api/v1/write"
        env |= {"SPAN_METRICS_INTERVAL": "1s", **changed}
        collector = Collector(files, env)
        if not gate:
            collector.argv.remove(FEATURE_GATES)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{env['OTLP_HTTP_LISTEN']}")
        monkeypatch.setenv("SELF_METRICS_PORT", env["SELF_METRICS_PORT"])
        monkeypatch.setenv("LOGFIRE_QUERY_ENDPOINT", self.stand_in.url)
        monkeypatch.setenv("PROMETHEUS_URL", self.prometheus.url)
        for name in ("LOGFIRE_ENDPOINT", "LOGFIRE_TOKEN", "LOGFIRE_READ_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        with guard or nullcontext(), collector:
            yield collector

    def guard(self) -> Guard:
        backends = variables(self.stand_in.url, self.prometheus.remote_write_endpoint)
        return Guard(free_port(), free_port(), backends)
