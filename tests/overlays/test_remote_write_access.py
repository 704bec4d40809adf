"""Remote write to backends that require authentication and a tenant, as Mimir does.

Real stores check the credentials of `basic` and `bearer` in tests/long_term/test_access.py.
"""

from pathlib import Path

import pytest
from otelcol_runner.telemetry import gauge
from pytest_otelcol.collector import Otelcol

from tests.support.pipeline import DEVELOPMENT, run_pipeline

WRONG = "wrong-credentials"
# The variables of each file, the headers that the backend then requires, and its path.
ASKING: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "tenant": (
        {"PROMETHEUS_TENANT": "team-a", "PROMETHEUS_AUTHORIZATION": "Bearer t0ken"},
        {"x-scope-orgid": "team-a", "authorization": "Bearer t0ken"},
        "/api/v1/push",
    ),
    "tenant+basic": (
        {"PROMETHEUS_TENANT": "team-a", "PROMETHEUS_BASIC_CREDENTIALS": "dXNlcjpwYXNzd29yZA=="},
        {"thanos-tenant": "team-a", "authorization": "Basic dXNlcjpwYXNzd29yZA=="},
        "/api/v1/receive",
    ),
}


@pytest.mark.parametrize("files", ASKING)
def test_metrics_wait_for_the_right_credentials(
    otelcol: Otelcol, tmp_path: Path, files: str
) -> None:
    given, asked, path = ASKING[files]
    configs = [*DEVELOPMENT, *(f"overlays/{name}" for name in files.split("+"))]
    wrong = dict.fromkeys(given, WRONG)
    with run_pipeline(otelcol, configs, tmp_path, wrong, guarded=True) as pipeline:
        assert pipeline.guard is not None
        pipeline.prometheus.refuse(401, unless=asked)
        pipeline.collector.send(gauge("written", 1, unit=""))
        refused = pipeline.prometheus.wait_for(lambda sink: sink.requests, "a refused request")
        assert not asked.items() <= refused[0].headers.items()
        assert WRONG in str(refused[0].headers)

        endpoint = {"PROMETHEUS_REMOTE_WRITE_ENDPOINT": pipeline.guard.metrics_url + path}
        pipeline.collector.env.update(given | endpoint)
        pipeline.collector.restart()
        pipeline.prometheus.wait_for_series("written", value=1)
        taken = pipeline.prometheus.requests[-1]
        assert (taken.status, taken.path) == (204, path)
        assert not [value for value in given.values() if value in pipeline.collector.output()]
