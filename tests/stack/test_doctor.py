import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from otelcol_runner.ports import free_port

from stack.pipeline.configs import standalone
from stack.services.prometheus import Prometheus
from stack.services.stand_in import StandIn
from tests.stack.conftest import Agentical
from tests.stack.pipeline import Pipeline


@pytest.fixture(scope="module")
def backends(
    running_stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    data = tmp_path_factory.mktemp("doctor")
    with Prometheus(free_port(), data / "prometheus") as prometheus:
        yield Pipeline(data, running_stand_in, prometheus)


@pytest.fixture
def pipeline(backends: Pipeline, stand_in: StandIn) -> Pipeline:
    assert stand_in is backends.stand_in
    return backends


def examined(agentical: Agentical, *options: str, timeout: int = 20) -> dict[str, Any]:
    """Return the doctor's lines by signal, and its exit code."""
    ended = agentical("doctor", "--json", "--timeout", str(timeout), *options)
    report = json.loads(ended.out)
    lines = {line["signal"]: line for line in report["signals"]}
    return {**lines, "code": ended.code, "warnings": report["warnings"]}


def found(report: dict[str, Any]) -> list[str]:
    return [signal for signal in ("trace", "log", "metric") if report[signal]["found"]]


def test_a_working_pipeline_shows_three_delays_and_exits_with_0(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline.collector(monkeypatch, guarded=True):
        ended = agentical("doctor", "--timeout", "20")
        again = examined(agentical)
    assert (ended.code, ended.out.count("yes"), "next:" in ended.out) == (0, 3, False)
    assert (found(again), again["code"], again["warnings"]) == (["trace", "log", "metric"], 0, [])
    assert all(again[signal]["delay_seconds"] < 10 for signal in found(again))
    kept = pipeline.stand_in.query("SELECT span_name FROM records WHERE kind = 'span'")
    assert kept == [{"span_name": "doctor.probe"}] * 2


def test_a_missing_guard_is_a_warning_with_the_remedy(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = f"{pipeline.prometheus.url}/api/v1/write"
    with pipeline.collector(monkeypatch):
        bare = examined(agentical)
    with pipeline.collector(
        monkeypatch, guarded=True, PROMETHEUS_REMOTE_WRITE_ENDPOINT=half.replace("//", "//me:pw@")
    ):
        by_half = examined(agentical)
    assert (bare["code"], by_half["code"]) == (0, 0)
    (both,), (one,) = bare["warnings"], by_half["warnings"]
    assert both.startswith("no guard in front of Logfire and Prometheus: ")
    assert both.endswith("start one, as described at the top of collector/guard/Caddyfile")
    assert one.startswith("no guard in front of Prometheus: ")
    assert "pw" not in json.dumps(by_half)


def test_a_stopped_collector_is_reported_at_once(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline.collector(monkeypatch) as collector:
        collector.stop()
        report = examined(agentical, timeout=600)
        result = agentical("doctor", "--timeout", "600")
    assert (report["code"], found(report)) == (1, [])
    assert "\ntrace, log, metric: nothing answers at the OTLP endpoint" in result.out
    assert report["metric"]["cause"].startswith("nothing answers at the OTLP endpoint http://127")
    assert "start the collector" in report["metric"]["next_step"]


def test_a_wrong_write_token_is_found_at_the_backend_and_in_its_variable(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline.collector(monkeypatch, LOGFIRE_TOKEN="no-longer-valid"):
        report = examined(agentical)
        monkeypatch.setenv("LOGFIRE_ENDPOINT", pipeline.stand_in.url)
        monkeypatch.setenv("LOGFIRE_TOKEN", "no-longer-valid")
        known = examined(agentical)
    assert (report["code"], found(report)) == (1, ["metric"])
    assert report["trace"]["cause"].startswith("exporter otlp_http/logfire dropped it after a")
    assert "check the collector's LOGFIRE_TOKEN" in report["log"]["next_step"]
    assert known["log"]["cause"] == f"{pipeline.stand_in.url} rejects the write token (401)"
    assert "no-longer-valid" not in json.dumps(known)


def test_a_refusing_backend_shows_as_a_queue_that_is_not_empty(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline.collector(monkeypatch) as collector:
        pipeline.stand_in.fault(refuse=503)
        report = examined(agentical, timeout=2)
        collector.kill()
    assert report["log"]["cause"].startswith("the queue of exporter otlp_http/logfire holds")


def test_a_stopped_prometheus_is_named_and_the_others_are_found(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline.collector(monkeypatch) as collector, ExitStack() as restarted:
        pipeline.prometheus.stop()
        restarted.callback(pipeline.prometheus.start)
        report = examined(agentical, timeout=4)
        collector.kill()
    assert (report["code"], found(report)) == (1, ["trace", "log"])
    assert report["metric"]["cause"].startswith(
        f"cannot reach Prometheus at {pipeline.prometheus.url}"
    )
    assert report["metric"]["next_step"] == "start it, or set PROMETHEUS_URL"


def test_on_a_route_without_prometheus_metrics_are_found_at_logfire(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = pipeline.data / "hurried.yaml"  # the route itself sends metrics every 30 s
    hurried.write_text("processors: {interval: {interval: 1s}}\n")
    files = standalone("development", "logfire-only", [hurried], infrastructure=())
    with pipeline.collector(monkeypatch, files):
        report = examined(agentical, timeout=1)
        result = examined(agentical, "--no-prometheus")
    assert report["code"] == 1
    assert "not to Prometheus" in report["metric"]["cause"]
    assert (found(result), result["code"]) == (["trace", "log", "metric"], 0)


def test_a_wrong_read_token_is_reported_at_once(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline.collector(monkeypatch):
        monkeypatch.setenv("LOGFIRE_READ_TOKEN", "wrong")
        report = examined(agentical, timeout=60)
    assert found(report) == ["metric"]
    assert "rejected the read token (401)" in report["trace"]["cause"]


@pytest.mark.parametrize("gate", [True, False])
def test_sampling_keeps_the_probe_and_a_missing_gate_is_a_warning(
    pipeline: Pipeline, agentical: Agentical, monkeypatch: pytest.MonkeyPatch, gate: bool
) -> None:
    production = standalone("production", "hybrid", infrastructure=())
    quick: dict[str, Any] = {"TRACE_SAMPLE_PERCENT": "0.1", "TRACE_DECISION_WAIT": "1s"}
    with pipeline.collector(monkeypatch, production, gate=gate, **quick):
        report = examined(agentical)
    assert (found(report), report["code"]) == (["trace", "log", "metric"], 0)
    assert any("recordpolicy" in warning for warning in report["warnings"]) is not gate


class LateServer(BaseHTTPRequestHandler):
    """Accepts everything, and its clock says 2020."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(1_577_836_800)

    def log_message(self, *_: object) -> None: ...


def test_a_wrong_clock_is_named_as_the_cause(
    stand_in: StandIn, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), LateServer) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("LOGFIRE_QUERY_ENDPOINT", stand_in.url)
        report = examined(agentical, "--no-prometheus", timeout=1)
        server.shutdown()
    assert found(report) == []
    assert "clock" in report["trace"]["cause"]
    assert report["trace"]["cause"].endswith("s ahead")
