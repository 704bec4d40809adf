"""The kit on a configuration that is not its own: `collector.yaml` beside this file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from otelcol_runner.telemetry import counter, log, span
from otelcol_runner.views import having
from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.grpc_sink import OtlpGrpcSink
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

CONFIG = Path(__file__).parent / "collector.yaml"
SENDS_2_0 = "--feature-gates=exporter.prometheusremotewritexporter.enableSendingRW2"


@pytest.fixture
def shop(
    otelcol: Otelcol,
    otlp_grpc_sink: OtlpGrpcSink,
    otlp_sink: OtlpSink,
    remote_write_sink: RemoteWriteSink,
) -> Iterator[Collector]:
    env = {
        "TRACES_BACKEND": otlp_grpc_sink.url,
        "LOGS_BACKEND": otlp_sink.url,
        "METRICS_BACKEND": remote_write_sink.url,
    }
    gated = otelcol.with_arguments(SENDS_2_0)
    with gated.run([CONFIG], env, listen=["OTLP_GRPC_LISTEN"]) as collector:
        yield collector


def test_a_purchase_is_stored_without_its_secrets(
    shop: Collector, otlp_grpc_sink: OtlpGrpcSink
) -> None:
    paid = {"payment.card.number": "4432-8015-6152-0454", "payment.card.cvv": 672}
    buyer = {"user.email": "ada@example.com"}
    shop.send(span("POST /carts/42/pay?retry=1", {**paid, **buyer}, kind="SERVER"))
    stored = otlp_grpc_sink.expect_span(
        name="POST /carts/{id}/pay",
        attributes={"payment.card.number": "****-0454"},
        resource={"service.namespace": "shop"},
        kind="SERVER",
    )
    assert stored.attributes.keys() == {"payment.card.number", "user.hash"}


def test_health_probes_are_not_stored(shop: Collector, otlp_grpc_sink: OtlpGrpcSink) -> None:
    shop.send(span("GET /healthz", {"url.path": "/healthz"}), span("GET /products/7"))
    otlp_grpc_sink.expect_span(name="GET /products/{id}")
    assert [item.name for item in otlp_grpc_sink.spans] == ["GET /products/{id}"]


def test_rates_are_made_from_spans_and_stored_beside_the_services_own(
    shop: Collector, remote_write_sink: RemoteWriteSink
) -> None:
    shop.send(span("GET /products/1"), span("GET /products/2"), counter("orders", 3))
    labels = {"span_name": "GET /products/{id}", "service_namespace": "shop"}
    calls = remote_write_sink.expect_series("traces_span_metrics_calls_total", labels, value=2)
    orders = remote_write_sink.expect_series("orders_total", value=3)
    for series in (calls, orders):
        assert series.metadata is not None
        assert series.metadata.type == "counter"
    asked = remote_write_sink.requests[0].headers
    assert having(asked, {"x-prometheus-remote-write-version": "2.0.0"})


def test_logs_go_to_their_own_backend(
    shop: Collector, otlp_sink: OtlpSink, otlp_grpc_sink: OtlpGrpcSink
) -> None:
    shop.send(log("payment refused", {"order": 7}, severity="ERROR"))
    otlp_sink.expect_log("payment refused", {"order": 7}, severity="ERROR")
    assert (otlp_sink.signals, otlp_grpc_sink.signals) == ({"logs"}, set())
