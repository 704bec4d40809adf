"""Which pipelines and components of the loaded files had items sent through them.

Every collector that runs sends its own metrics to this process, by a configuration file that is
loaded last. The feature gate `telemetry.newPipelineTelemetry` makes it count what each component
produces and consumes, and name the pipeline; the last counts come with its orderly stop.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from otelcol_runner.configs import merged

from pytest_otelcol.counting import Flow, Row, at, components, declared, flows_of, pipelines
from pytest_otelcol.recorder import Response, decompressed
from pytest_otelcol.server import RecordingServer

GATE = "--feature-gates=telemetry.newPipelineTelemetry"
VARIABLE = "PYTEST_OTELCOL_COVERAGE"
INTERVAL = 500  # milliseconds: what a killed collector may not have reported
# What the collector listens on where the configuration sets no reader.
DEFAULT_READER = {
    "pull": {
        "exporter": {
            "prometheus": {
                "host": "localhost",
                "port": 8888,
                "without_type_suffix": True,
                "without_units": True,
            }
        }
    }
}


@dataclass(frozen=True)
class Addition:
    """What a collector is started with in addition."""

    configs: Sequence[Path] = ()
    arguments: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A started collector's configuration, and the file of each pipeline and component."""

    config: Mapping[str, Any]
    declared: Mapping[tuple[str, str], Path]


class Coverage(RecordingServer):
    """Collects what the collectors of one process report.

    Args:
        root: the folder whose files are listed; others, such as temporary ones, are not.
    """

    def __init__(self, root: Path) -> None:
        super().__init__("coverage")
        self._root = root.resolve()
        self._folder = tempfile.TemporaryDirectory(prefix="otelcol-coverage-")
        self._runs: list[Run] = []
        # By run and collector instance; the counts only grow.
        self._counts: dict[str, dict[tuple[str, Flow, str], int]] = defaultdict(dict)

    def start(self) -> None:
        """Listen; unlike a sink, without a part in the reports of failing tests."""
        self._listen()

    def stop(self) -> None:
        """Stop listening and remove the generated files."""
        super().stop()
        self._folder.cleanup()

    def instrument(self, configs: Sequence[Path]) -> Addition:
        """Return what makes a collector with these files report here."""
        # Read now: a test may remove or change its files later.
        config, number = merged(configs), len(self._runs)
        self._runs.append(Run(config, declared(configs)))
        path = Path(self._folder.name) / f"{number}.yaml"
        path.write_text(yaml.safe_dump(own_telemetry(config)))
        path.chmod(0o644)
        return Addition([path], [GATE], {VARIABLE: f"{self.url}/{number}/v1/metrics"})

    def items(self) -> dict[Row, int]:
        """Return how many items went through each pipeline and component of the files."""
        total: Counter[Row] = Counter()
        for number, run in enumerate(self._runs):
            flows: Counter[Flow] = Counter()
            for (_, flow, _), value in self._counts[f"/{number}/v1/metrics"].items():
                flows[flow] += value
            counted = {**components(flows), **pipelines(run.config, flows)}
            for (kind, name), path in run.declared.items():
                if path.is_relative_to(self._root):
                    row = (str(path.relative_to(self._root)), kind, name)
                    total[row] += counted.get((kind, name), 0)
        return dict(total)

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        plain = decompressed(body, headers.get("content-encoding", ""))
        found = flows_of(ExportMetricsServiceRequest.FromString(plain))
        with self._lock:
            self._counts[path].update(found)
            self.requests.clear()
        return 200, {}, b""


def own_telemetry(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that add a reader for the coverage to those of the configuration."""
    metrics = at(config, "service", "telemetry", "metrics")
    level = str(metrics.get("level", "normal"))
    silent = level.lower() == "none"
    given = [] if silent else metrics.get("readers", [DEFAULT_READER])
    exporter = {"otlp": {"protocol": "http/protobuf", "endpoint": f"${{env:{VARIABLE}}}"}}
    own = {"periodic": {"interval": INTERVAL, "exporter": exporter}}
    changed: dict[str, Any] = {"readers": [*map(with_scopes, given), own]}
    if silent or "$" in level:
        changed["level"] = "basic"
    return {"service": {"telemetry": {"metrics": changed}}}


def with_scopes(reader: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reader that shows scopes.

    With the gate, series differ in their scope alone: without it, a Prometheus endpoint would have
    duplicates and answer with an error.
    """
    prometheus = reader.get("pull", {}).get("exporter", {}).get("prometheus")
    if prometheus is None:
        return dict(reader)
    return {"pull": {"exporter": {"prometheus": {**prometheus, "without_scope_info": False}}}}


_active: Coverage | None = None


def activate(collecting: Coverage | None) -> Coverage | None:
    """Instrument every collector of this process from now on, or none; return what did before."""
    global _active
    before, _active = _active, collecting
    return before


def instrument(configs: Sequence[Path]) -> Addition:
    """Return what a collector with these files is started with in addition."""
    return _active.instrument(configs) if _active else Addition()
