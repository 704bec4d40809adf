"""A refused token shows in the collector's own metrics."""

from pathlib import Path

import pytest
from otelcol_runner.telemetry import log
from pytest_otelcol.collector import Otelcol

from tests.support.pipeline import DEVELOPMENT, run_pipeline

ANSWERS = "otelcol_exporter_http_request_duration_seconds_count"


@pytest.mark.parametrize(("guarded", "status"), [(True, "502"), (False, "401")])
def test_the_answer_to_a_refused_token_is_a_series(
    otelcol: Otelcol, tmp_path: Path, *, guarded: bool, status: str
) -> None:
    reports = {"SELF_METRICS_INTERVAL_MS": "300"}
    with run_pipeline(otelcol, DEVELOPMENT, tmp_path, reports, guarded=guarded) as pipeline:
        pipeline.logfire.refuse(401)
        pipeline.collector.send(log("one"))
        asked = {"job": "collector", "http_response_status_code": status}
        pipeline.prometheus.wait_for_series(ANSWERS, asked)
