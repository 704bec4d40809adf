"""The fixtures with a real collector on tiny configuration files."""

from pathlib import Path

import pytest
from otelcol_runner.process import ProcessFailedError
from otelcol_runner.sender import RefusedError
from otelcol_runner.telemetry import counter, gauge, histogram, log, span
from pytest_otelcol.collector import InvalidConfigError, Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

CONFIGS = Path(__file__).parent / "configs"
BASE, METRICS = CONFIGS / "base.yaml", CONFIGS / "metrics.yaml"


def test_each_signal_is_found_at_its_backend(
    otelcol: Otelcol, otlp_sink: OtlpSink, remote_write_sink: RemoteWriteSink
) -> None:
    env = {"BACKEND": otlp_sink.url, "METRICS_BACKEND": remote_write_sink.url}
    with otelcol.run([BASE, METRICS], env) as collector:
        collector.send(
            span("GET /", {"code": 200}, kind="SERVER"),
            log("hello", severity="WARN"),
            counter("requests", 3, {"code": "200"}),
            gauge("depth", 2.5, unit=""),
            histogram("seconds", [0.05, 0.5, 5.0]),
            resource={"service.name": "shop", "service.instance.id": "1"},
        )
        found = otlp_sink.wait_for_span("GET /", {"code": 200})
        assert (found.kind, found.resource["service.name"]) == ("SERVER", "shop")
        assert otlp_sink.wait_for_log("hello").severity == "WARN"
        remote_write_sink.wait_for_series("requests_total", {"code": "200", "job": "shop"}, value=3)
        remote_write_sink.wait_for_series("depth", value=2.5)
        remote_write_sink.wait_for_series("seconds_bucket", {"le": "1"}, value=2)
    assert otlp_sink.signals == {"traces", "logs"}


def test_the_sender_sees_the_backends_refusal(otelcol: Otelcol, otlp_sink: OtlpSink) -> None:
    with otelcol.run([BASE], {"BACKEND": otlp_sink.url}) as collector:
        otlp_sink.refuse(503)
        with pytest.raises(RefusedError) as refused:
            collector.send(span("lost"))
        assert refused.value.status == 503
        otlp_sink.accept()
        collector.send(span("taken"))
        otlp_sink.stop()
        with pytest.raises(RefusedError):
            collector.send(span("lost, too"))
        otlp_sink.start()
        collector.send(span("taken again"))
        assert [item.name for item in otlp_sink.spans] == ["taken", "taken again"]
        assert collector.warnings()


def test_validate_returns_the_collectors_message(otelcol: Otelcol, tmp_path: Path) -> None:
    env = {"BACKEND": "http://127.0.0.1:1", "OTLP_HTTP_LISTEN": "127.0.0.1:0"}
    assert otelcol.validate([BASE], env) == ""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("receivers: {otlp: {endpiont: here}}\n")
    with pytest.raises(InvalidConfigError, match=r"base\.yaml, wrong\.yaml(?s:.*)endpiont"):
        otelcol.validate([BASE, wrong], env)


def test_a_collector_that_does_not_start_shows_its_log(otelcol: Otelcol, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("exporters: {otlp_http/backend: {compression: none-such}}\n")
    running = otelcol.run([BASE, wrong], {"BACKEND": "http://127.0.0.1:1"})
    with pytest.raises(ProcessFailedError, match="none-such"), running:
        pass


def test_a_queue_outlives_a_killed_and_a_restarted_collector(
    otelcol: Otelcol, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    env = {"BACKEND": otlp_sink.url, "QUEUE_DIR": str(tmp_path)}
    otlp_sink.refuse(503)
    with otelcol.run([BASE, CONFIGS / "queue.yaml"], env) as collector:
        collector.send(span("before the kill"))
        otlp_sink.wait_for(lambda sink: sink.requests, "a request")
        collector.kill()
        assert not collector.running
        collector.start()
        collector.send(span("before the restart"))
        collector.restart()
        otlp_sink.accept()
        for name in ("before the kill", "before the restart"):
            otlp_sink.expect_span(name=name)
        assert collector.stop() == 0
    assert collector.output().count("Everything is ready") == 3
