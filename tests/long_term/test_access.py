"""Credentials and a tenant, checked by real stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import gauge
from pytest_otelcol.collector import Otelcol

from tests.long_term.reading import get, values, wait_for
from tests.long_term.stores import Thanos, VictoriaMetrics, VmAuth
from tests.support.pipeline import DEVELOPMENT, Pipeline, run_pipeline

TOKEN = "t0ken"
USER, PASSWORD, CREDENTIALS = "user", "password", "dXNlcjpwYXNzd29yZA=="
REFUSED = "the upstream answered 401"


@contextmanager
def with_wrong(
    otelcol: Otelcol, folder: Path, overlay: str, url: str, **wrong: str
) -> Iterator[Pipeline]:
    """Run a guarded pipeline with wrong credentials, whose sample the store has refused."""
    configs = [*DEVELOPMENT, f"overlays/{overlay}"]
    with run_pipeline(otelcol, configs, folder, wrong, guarded=True, store=url) as pipeline:
        pipeline.collector.send(gauge("written", 1, unit=""))
        poll_until(lambda: REFUSED in pipeline.guard_output(), "a refused request")
        yield pipeline


def test_metrics_wait_for_the_right_password(otelcol: Otelcol, tmp_path: Path) -> None:
    flags = {"httpAuth.username": USER, "httpAuth.password": PASSWORD}
    variable = "PROMETHEUS_BASIC_CREDENTIALS"
    with VictoriaMetrics(tmp_path / "data", **flags) as store:
        url = store.write_url + store.path
        with with_wrong(otelcol, tmp_path, "basic", url, **{variable: "wrong"}) as pipeline:
            pipeline.collector.env[variable] = CREDENTIALS
            pipeline.collector.restart()
            store.url = store.url.replace("://", f"://{USER}:{PASSWORD}@")
            wait_for(store, "written", 1)
            assert CREDENTIALS not in pipeline.collector.output()


def test_metrics_wait_for_the_right_token(
    victoria_metrics: VictoriaMetrics, otelcol: Otelcol, tmp_path: Path
) -> None:
    variable = "PROMETHEUS_BEARER_TOKEN"
    with VmAuth(tmp_path, TOKEN, victoria_metrics) as proxy:
        url = proxy.write_url + victoria_metrics.path
        with with_wrong(otelcol, tmp_path, "bearer", url, **{variable: "wrong"}) as pipeline:
            assert values(victoria_metrics, "written") == []
            pipeline.collector.env[variable] = TOKEN
            pipeline.collector.restart()
            wait_for(victoria_metrics, "written", 1)
            assert TOKEN not in pipeline.collector.output()


def test_the_tenant_is_a_label_in_thanos(
    thanos_store: Thanos, otelcol: Otelcol, tmp_path: Path
) -> None:
    configs, url = [*DEVELOPMENT, "overlays/tenant"], thanos_store.write_url + thanos_store.path
    tenant = {"PROMETHEUS_TENANT": "team-a"}
    with run_pipeline(otelcol, configs, tmp_path, tenant, guarded=True, store=url) as pipeline:
        pipeline.collector.send(gauge("of.a.team", 1, unit=""))
        wait_for(thanos_store, 'of_a_team{tenant_id="team-a"}', 1)
    assert get(thanos_store, "label/tenant_id/values", **{"match[]": "of_a_team"}) == ["team-a"]
