"""The shipped collector files, in any combination, with a recording backend at each exporter."""

import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from otelcol_runner.ports import free_port
from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from stack.pipeline.configs import started_on
from stack.pipeline.ports import LISTEN
from stack.services.collector import config_file
from stack.services.guard import Guard, through
from stack.services.guard import variables as guard_variables
from tests.support.memory import memory_folder

TOKEN = "write-token-of-the-tests"
DEVELOPMENT = ("environments/development", "routes/hybrid")
PRODUCTION = ("environments/production", "routes/hybrid")
PORTS = ("SELF_METRICS_PORT",)
QUICK = {
    # Nobody: the default is the demo's Prometheus, which may be running.
    "SELF_LAST_REPORT_ENDPOINT": "http://127.0.0.1:9/api/v1/otlp/v1/metrics",
    "LOGFIRE_TOKEN": TOKEN,
    "POSTGRES_PASSWORD": "unused",
    "SPAN_METRICS_INTERVAL": "200ms",
    "INFRASTRUCTURE_INTERVAL": "500ms",
    "TRACE_DECISION_WAIT": "300ms",
}
# The one interval of a route that is too long for tests.
QUICK_INTERVAL = "processors: {interval: {interval: 200ms}}\n"


@dataclass
class Pipeline:
    """A running collector and the backends its exporters reach."""

    collector: Collector
    logfire: OtlpSink
    prometheus: RemoteWriteSink
    viewer: OtlpSink
    guard: Guard | None = None

    def guard_output(self) -> str:
        """Return what the guard has printed."""
        assert self.guard is not None
        return self.guard.output()

    def scrape(self) -> str:
        """Return what a scraping Prometheus would read."""
        url = f"http://{self.collector.env['SCRAPE_LISTEN']}/metrics"
        accept = {"accept": "application/openmetrics-text;version=1.0.0"}
        request = urllib.request.Request(url, headers=accept)
        with urllib.request.urlopen(request, timeout=5) as answer:
            text: str = answer.read().decode()
        return text


StartPipeline = Callable[..., Pipeline]


def files(configs: Sequence[str | Path]) -> list[Path]:
    """Return every file that a start with these loads, named as below collector/ or as paths."""
    return [config_file(config) for config in started_on(*configs)]


@contextmanager
def run_pipeline(
    otelcol: Otelcol,
    configs: Sequence[str | Path],
    folder: Path,
    env: Mapping[str, str],
    *,
    guarded: bool = False,
    store: str = "",
) -> Iterator[Pipeline]:
    """Run the stages and these files, optionally with a guard; state goes into `folder`.

    With `store`, the URL of a store's remote write, metrics go there, and not to the sink.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = files(configs)
    if "routes/logfire-only" in configs:
        quick = folder / "quick-interval.yaml"
        quick.write_text(QUICK_INTERVAL)
        paths.append(quick)
    with ExitStack() as stack:
        logfire = stack.enter_context(OtlpSink("logfire"))
        viewer = stack.enter_context(OtlpSink("viewer"))
        prometheus = stack.enter_context(RemoteWriteSink("prometheus"))
        written = store or prometheus.url
        guard = stack.enter_context(run_guard(logfire.url, written)) if guarded else None
        variables = {
            **QUICK,
            "COLLECTOR_QUEUE_DIR": str(folder / "queue"),
            "SAMPLING_WINDOW_DIR": str(stack.enter_context(memory_folder())),
            "LOGFIRE_ENDPOINT": guard.url if guard else logfire.url,
            "VIEWER_ENDPOINT": viewer.url,
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": through(guard.metrics_url, written)
            if guard
            else written,
            **env,
        }
        collector = stack.enter_context(otelcol.run(paths, variables, listen=LISTEN, ports=PORTS))
        yield Pipeline(collector, logfire, prometheus, viewer, guard)


def run_guard(logfire: str, metrics: str) -> Guard:
    """Return a guard in front of both, with a short Retry-After."""
    backends = guard_variables(logfire, metrics)
    return Guard(free_port(), free_port(), {**backends, "GUARD_RETRY_AFTER": "1"})
