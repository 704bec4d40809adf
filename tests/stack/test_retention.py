from pathlib import Path

import httpx
import pytest
from otelcol_runner.ports import free_port

from stack.demo.assembly import pipeline_of
from stack.paths import ROOT
from stack.pipeline.launch import Pipeline
from stack.services.prometheus import Prometheus
from stack.services.retention import DEFAULT, VARIABLE
from tests.stack.conftest import Agentical


def demo() -> Pipeline:
    return pipeline_of("development", "hybrid", (), lambda line: None)


def test_the_variable_sets_the_demos_retention(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert demo().retention == DEFAULT
    assert f"${{{VARIABLE}:-{DEFAULT}}}" in (ROOT / "docker-compose.yml").read_text()
    monkeypatch.setenv(VARIABLE, "1w2d")
    with Prometheus(free_port(), tmp_path, retention=demo().retention) as prometheus:
        said = httpx.get(f"{prometheus.url}/api/v1/status/runtimeinfo").json()["data"]
    assert said["storageRetention"] == "9d"


@pytest.mark.parametrize("value", ["ninety days", "90", "0d", "-1d", "1.5d", "1d1w"])
def test_an_invalid_retention_is_refused_before_anything_starts(
    agentical: Agentical, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    outcome = agentical("demo", "--duration", "1")
    advice = 'set it to one such as "15d" or "1y6w"'
    assert outcome.code == 1
    assert outcome.err == f"agentical: {VARIABLE}={value} is not a duration: {advice}\n"
