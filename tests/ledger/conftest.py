import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol

from stack.services.prometheus import Prometheus
from tests.support.pipeline import StartPipeline, run_pipeline


@pytest.fixture
def start_pipeline(
    otelcol: Otelcol, prometheus: Prometheus, tmp_path: Path
) -> Iterator[StartPipeline]:
    """Start collectors that write to that Prometheus and often report their own metrics."""
    folders = (tmp_path / f"pipeline-{number}" for number in itertools.count())
    variables = {
        "PROMETHEUS_REMOTE_WRITE_ENDPOINT": prometheus.remote_write_endpoint,
        "SELF_LAST_REPORT_ENDPOINT": prometheus.last_report_endpoint,
        "SELF_METRICS_INTERVAL_MS": "300",
        # A producer's variables must not change how the collector reports its own metrics.
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",  # seconds for Python, milliseconds for Go
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    with ExitStack() as stack:
        yield lambda *configs, **env: stack.enter_context(
            run_pipeline(otelcol, configs, next(folders), variables | env)
        )
