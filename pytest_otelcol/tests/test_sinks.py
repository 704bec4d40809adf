"""The sinks without a collector."""

import json
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import cramjam
import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from otelcol_runner.sender import RefusedError, Sender, export_requests
from otelcol_runner.telemetry import gauge, histogram, log, span, span_id, trace_id
from otelcol_runner.views import Event, Link, Point
from pytest_otelcol.grpc_sink import OtlpGrpcSink
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink
from pytest_otelcol.write_request import Metadata, RequestV2, WriteRequest

STORED = ("Samples", "Histograms", "Exemplars")


def test_a_span_comes_back_as_it_was_built(otlp_sink: OtlpSink) -> None:
    trace, linked = trace_id(), Link(trace_id(), span_id(), {"why": "retry"})
    built = span(
        "work",
        {"text": "a", "list": [1, 2], "map": {"deep": True}, "bytes": b"b", "none": None},
        kind="CONSUMER",
        trace=trace,
        status="ERROR",
        message="it broke",
        events=[Event("exception", {"n": 1.5})],
        links=[linked],
        duration=2.0,
    )
    Sender(otlp_sink.url).send(built, resource={"service.name": "shop"}, headers={"x-key": "k"})
    found = otlp_sink.wait_for_span("work")
    assert found.attributes == {
        "text": "a",
        "list": [1, 2],
        "map": {"deep": True},
        "bytes": b"b",
        "none": None,
    }
    assert (found.kind, found.status, found.status_message) == ("CONSUMER", "ERROR", "it broke")
    assert (found.trace_id, found.links) == (trace, (linked,))
    assert found.events == (Event("exception", {"n": 1.5}),)
    assert (found.end - found.start, found.resource) == (2 * 10**9, {"service.name": "shop"})
    assert otlp_sink.requests[0].headers["x-key"] == "k"


def test_points_carry_their_type_value_and_resource(otlp_sink: OtlpSink) -> None:
    Sender(otlp_sink.url).send(gauge("depth", 3), histogram("seconds", [0.05, 5.0]), log("x"))
    depth, seconds = otlp_sink.points
    assert isinstance(depth, Point)
    assert (depth.type, depth.value, depth.unit) == ("gauge", 3, "1")
    assert (seconds.type, seconds.value, seconds.sum) == ("histogram", 2, 5.05)
    assert seconds.temporality == "CUMULATIVE"
    otlp_sink.clear()
    assert (otlp_sink.points, otlp_sink.requests, otlp_sink.signals) == ([], [], set())


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/traces", {"content-type": "application/json"}, 415),
        ("/v1/traces", {"content-type": "application/x-protobuf"}, 400),
        ("/v1/profiles", {"content-type": "application/x-protobuf"}, 404),
    ],
)
def test_a_body_that_is_not_otlp_is_refused_as_by_a_backend(
    otlp_sink: OtlpSink, path: str, headers: dict[str, str], status: int
) -> None:
    request = urllib.request.Request(otlp_sink.url + path, json.dumps({}).encode(), headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    with refused.value as answer:
        assert answer.code == status
    assert otlp_sink.spans == []


def test_a_sink_can_refuse_and_restart_on_the_same_port(otlp_sink: OtlpSink) -> None:
    sender = Sender(otlp_sink.url)
    otlp_sink.refuse(401)
    with pytest.raises(RefusedError, match="401"):
        sender.send(span("no"))
    otlp_sink.stop()
    with pytest.raises(urllib.error.URLError):
        sender.send(span("no"))
    otlp_sink.accept()
    otlp_sink.start()
    sender.send(span("yes"))
    assert [item.name for item in otlp_sink.spans] == ["yes"]
    assert [item.status for item in otlp_sink.requests] == [401, 200]


def test_a_sink_can_refuse_matching_requests_with_retry_after(
    otlp_sink: OtlpSink,
) -> None:
    sender = Sender(otlp_sink.url)
    otlp_sink.refuse(429, retry_after=7, containing=b"poison")
    sender.send(log("well"))
    with pytest.raises(RefusedError, match="429") as refused:
        sender.send(log("poison"))
    assert refused.value.headers["retry-after"] == "7"
    assert [item.body for item in otlp_sink.logs] == ["well"]


def test_a_sink_can_require_authentication(otlp_sink: OtlpSink) -> None:
    sender = Sender(otlp_sink.url)
    otlp_sink.refuse(401, unless={"authorization": "Bearer right", "x-tenant": "ours"})
    sender.send(log("known"), headers={"Authorization": "Bearer right", "X-Tenant": "ours"})
    for other in ({"X-Tenant": "ours"}, {"Authorization": "Bearer wrong", "X-Tenant": "ours"}):
        with pytest.raises(RefusedError, match="401"):
            sender.send(log("unknown"), headers=other)
    assert [item.body for item in otlp_sink.logs] == ["known"]


def test_the_grpc_sink_refuses_like_the_http_one_by_a_status_and_a_delay(
    otlp_grpc_sink: OtlpGrpcSink,
) -> None:
    def send(name: str, token: str = "none") -> None:
        _, body = export_requests([span(name)], {}, "test")[0]
        with grpc.insecure_channel(f"127.0.0.1:{otlp_grpc_sink.port}") as channel:
            export = channel.unary_unary(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
            )
            export(body, metadata=[("x-token", token)], timeout=10)

    def refused(name: str) -> grpc.RpcError:
        with pytest.raises(grpc.RpcError) as raised:
            send(name)
        return raised.value

    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
    otlp_grpc_sink.refuse(exhausted, retry_after=7, containing=b"poison")
    send("well")
    answer = refused("poison")
    [details] = [value for name, value in answer.trailing_metadata() if "details" in name]
    delay = RetryInfo()
    assert Status.FromString(details).details[0].Unpack(delay)
    assert (answer.code(), delay.retry_delay.seconds) == (exhausted, 7)

    otlp_grpc_sink.refuse(grpc.StatusCode.UNAUTHENTICATED, unless={"x-token": "right"})
    assert refused("unknown").code() == grpc.StatusCode.UNAUTHENTICATED
    send("known", token="right")
    otlp_grpc_sink.accept()
    otlp_grpc_sink.stop()
    assert refused("gone").code() == grpc.StatusCode.UNAVAILABLE
    otlp_grpc_sink.start()
    send("again")
    assert [item.name for item in otlp_grpc_sink.spans] == ["well", "known", "again"]
    assert [item.status for item in otlp_grpc_sink.requests] == [0, 8, 16, 0, 0]
    assert "5 requests, 2 of them refused" in otlp_grpc_sink.describe()


def post(sink: RemoteWriteSink, message: Any, content_type: str) -> tuple[int, Message]:
    body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
    headers = {"content-type": content_type, "content-encoding": "snappy"}
    request = urllib.request.Request(f"{sink.url}/api/v1/write", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


def test_remote_write_is_decoded_as_its_content_type_says(
    remote_write_sink: RemoteWriteSink,
) -> None:
    kind, second = "application/x-protobuf", "application/x-protobuf;proto=io.prometheus.write.v2."
    first = WriteRequest()
    series = first.timeseries.add(samples=[{"value": 1.5, "timestamp": 7}])
    series.labels.add(name="__name__", value="depth")
    assert post(remote_write_sink, first, kind)[0] == 204
    assert remote_write_sink.expect_series("depth", value=1.5).metadata is None

    symbols = ["", "__name__", "seconds", "le", "1", "s", "time taken", "trace_id", "abc"]
    request = RequestV2(symbols=symbols)
    series = request.timeseries.add(
        labels_refs=[1, 2, 3, 4],
        samples=[{"value": 2, "timestamp": 8}, {"value": 3, "timestamp": 9}],
        exemplars=[{"labels_refs": [7, 8]}],
        histograms=[{"count_int": 4}],
        metadata={"type": 3, "unit_ref": 5, "help_ref": 6},
    )
    status, headers = post(remote_write_sink, request, second + "Request")
    written = [headers[f"X-Prometheus-Remote-Write-{kind}-Written"] for kind in STORED]
    assert (status, written) == (204, ["2", "1", "1"])
    stored = remote_write_sink.expect_series("seconds", {"le": "1"}, value=3)
    assert stored.metadata == Metadata("histogram", "s", "time taken")
    assert (stored.exemplars, stored.histograms) == ([{"trace_id": "abc"}], 1)

    assert post(remote_write_sink, request, second + "Other")[0] == 415
    series.labels_refs.extend([1, 99])
    assert post(remote_write_sink, request, second + "Request")[0] == 400
