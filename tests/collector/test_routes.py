"""Each signal goes only where its route says, whatever else is loaded."""

import re
from itertools import chain, product
from pathlib import Path

import pytest
from otelcol_runner.telemetry import gauge, log, span
from pytest_otelcol.collector import Otelcol

from stack.clients.collector import SelfMetrics
from tests.support.pipeline import QUICK, TOKEN, Pipeline, StartPipeline, files

ALL = {"traces", "logs", "metrics"}
ENVIRONMENTS = ("environments/development", "environments/production")
TO_LOGFIRE = {"routes/hybrid": {"traces", "logs"}, "routes/logfire-only": ALL}
OVERLAYS: tuple[tuple[str, ...], ...] = (
    (),
    ("overlays/also-viewer",),
    ("overlays/also-scrape",),
    ("overlays/also-viewer", "overlays/also-scrape"),
)
REMOTE_WRITE = ("basic", "bearer", "tenant")
ASKED: tuple[str, ...] = (
    "PROMETHEUS_BASIC_CREDENTIALS",
    "PROMETHEUS_BEARER_TOKEN",
    "PROMETHEUS_TENANT",
)
ASKED += ("SECOND_NAMESPACE", "LOGFIRE_TOKEN_SECOND")
INFRASTRUCTURE = ("infrastructure/host", "infrastructure/postgresql", "infrastructure/redis")
COMBINATIONS = [
    pytest.param((environment, route, *overlays), id="+".join([environment, route, *overlays]))
    for environment, route, overlays in product(ENVIRONMENTS, TO_LOGFIRE, OVERLAYS)
]
ONE_OF_EACH = (span("a trace", status="ERROR"), log("a log"), gauge("a.metric", 1, unit=""))


@pytest.mark.parametrize("configs", COMBINATIONS)
def test_each_signal_goes_only_where_the_route_says(
    start_pipeline: StartPipeline, configs: tuple[str, ...]
) -> None:
    pipeline = start_pipeline(*configs)
    route = configs[1]
    pipeline.collector.send(*ONE_OF_EACH)

    pipeline.logfire.wait_for(lambda sink: sink.signals >= TO_LOGFIRE[route], "the route's signals")
    if route == "routes/hybrid":
        pipeline.prometheus.wait_for_series("a_metric", {"job": "test-service"})
    if "overlays/also-viewer" in configs:
        pipeline.viewer.wait_for(lambda sink: sink.signals == ALL, "every signal")
    if "overlays/also-scrape" in configs:
        assert 'a_metric{instance="test-1",job="test-service"} 1.0' in pipeline.scrape()

    assert pipeline.logfire.signals == TO_LOGFIRE[route]
    assert bool(pipeline.prometheus.requests) == (route == "routes/hybrid")
    assert bool(pipeline.viewer.requests) == ("overlays/also-viewer" in configs)
    assert_only_logfire_gets_the_token(pipeline)
    assert not re.search("deprecat|please rewrite", pipeline.collector.output(), re.IGNORECASE)
    own = {name for name, *_ in SelfMetrics.of(pipeline.collector.env).samples}
    assert own
    assert not [name for name in own if "_size_" in name], "drop these in self.yaml"


def assert_only_logfire_gets_the_token(pipeline: Pipeline) -> None:
    for sent in pipeline.logfire.requests:
        assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    for sent in [*pipeline.viewer.requests, *pipeline.prometheus.requests]:
        assert not sent.headers.get("authorization")
    assert TOKEN not in pipeline.collector.output()


@pytest.mark.parametrize("configs", COMBINATIONS)
def test_every_combination_validates_without_a_warning(
    otelcol: Otelcol, configs: tuple[str, ...]
) -> None:
    environment, *routes = configs
    more = ["overlays/two-projects"]
    more += [f"overlays/{name}" for name in REMOTE_WRITE]
    variables = QUICK | dict.fromkeys(ASKED, "asked")
    assert otelcol.validate(files([*INFRASTRUCTURE, environment, *routes]), QUICK) == ""
    assert otelcol.validate(files([*INFRASTRUCTURE, environment, *routes, *more]), variables) == ""


def test_logfire_only_sends_one_point_per_series_and_interval(
    start_pipeline: StartPipeline, tmp_path: Path
) -> None:
    slower = tmp_path / "slower.yaml"
    slower.write_text("processors: {interval: {interval: 700ms}}\n")
    pipeline = start_pipeline(
        "environments/development", "routes/logfire-only", "infrastructure/host", slower,
        INFRASTRUCTURE_INTERVAL="20ms",
    )  # fmt: skip

    pipeline.logfire.wait_for_point("system.cpu.utilization")
    # Scraped 50 times a second, a series is sent at most once in 0.7 s.
    times: dict[str, set[int]] = {}
    for point in pipeline.logfire.points:
        times.setdefault(f"{point.name}{point.attributes}", set()).add(point.time)
    assert len(times) > 20
    seconds = (max(chain(*times.values())) - min(chain(*times.values()))) / 1e9
    most = max(times.items(), key=lambda item: len(item[1]))
    assert len(most[1]) <= seconds / 0.7 + 3, most
