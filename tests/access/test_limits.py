"""Limits of a request to the OTLP receivers: size, decompressed size and time."""

import gzip
import os
import re
import socket
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from otelcol_runner.configs import read
from otelcol_runner.telemetry import gauge, log, span
from pytest_otelcol.collector import Otelcol

from stack.paths import COLLECTOR, ROOT
from tests.access.clients import (
    ACCEPTED,
    PROTOCOLS,
    TOO_LARGE,
    UNAUTHENTICATED,
    Attempt,
    over_http,
    request_of,
)
from tests.support.pipeline import DEVELOPMENT, Pipeline, StartPipeline, run_pipeline

MEBIBYTE = 1 << 20
LIMIT = 32 * MEBIBYTE
LOGFIRE = 100_000_000  # bytes of a request, by its documentation
BEHIND = {
    "backends/prometheus.yaml": "otlp/metrics_buffer",
    "gateways/from-agents.yaml": "otlp/agents",
}
ROOMS = ("agents", "backends", "overlays", "routes")
# The two timeouts that are too long for tests.
QUICK = "receivers: {otlp: {protocols: {http: {read_header_timeout: 300ms, read_timeout: 900ms}}}}"
HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: collector\r\ncontent-type: application/x-protobuf\r\n"


@pytest.fixture(scope="module")
def pipeline(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with run_pipeline(otelcol, DEVELOPMENT, tmp_path_factory.mktemp("limits"), {}) as running:
        yield running


def zeros(size: int) -> bytes:
    """Return a gzip of this many zeros: one compressed mebibyte repeated is a valid stream."""
    return gzip.compress(bytes(MEBIBYTE)) * (size // MEBIBYTE)


def a_million_spans() -> bytes:
    """Return an export request of empty spans, two bytes each."""
    scope = ScopeSpans(spans=[Span()] * 1_000_000)
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[scope])])
    return bytes(request.SerializeToString())


def blob() -> str:
    """Return random text that nearly fills a request."""
    return os.urandom(LIMIT // 2 - 20_000).hex()


def resident(pipeline: Pipeline) -> int:
    """Return the collector's memory in MiB."""
    used: int = psutil.Process(pipeline.collector.pid).memory_info().rss
    return used // MEBIBYTE


def test_a_decompression_bomb_is_refused_in_little_memory(
    pipeline: Pipeline,
) -> None:
    bomb = zeros(1024 * MEBIBYTE)
    before = resident(pipeline)
    assert len(bomb) < 1.1 * MEBIBYTE
    assert over_http(pipeline.collector, Attempt(bomb, encoding="gzip")) == TOO_LARGE
    assert resident(pipeline) - before < 150

    # Here the client compresses it: 256 MiB.
    big = Attempt(bytes(8 * LIMIT), encoding="gzip")
    assert PROTOCOLS["grpc"](pipeline.collector, big) == TOO_LARGE
    assert resident(pipeline) - before < 150


def test_http_requests_without_the_token_are_not_decompressed(
    start_pipeline: StartPipeline,
) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, "overlays/token", OTLP_TOKEN="one")
    before = resident(pipeline)

    # Two kilobytes that decompress to a million spans; with the token they take 650 MB.
    bomb = gzip.compress(a_million_spans())
    assert len(bomb) < 3_000
    assert (
        over_http(pipeline.collector, Attempt(bomb, "another", encoding="gzip")) == UNAUTHENTICATED
    )
    assert resident(pipeline) - before < 30


@pytest.mark.parametrize(
    "encoding", ["deflate", "zlib", "zstd", "snappy", "x-snappy-framed", "lz4", "gzip, gzip"]
)
def test_unsupported_encodings_are_refused(pipeline: Pipeline, encoding: str) -> None:
    answer = over_http(pipeline.collector, Attempt(b"", encoding=encoding))
    assert answer.startswith("400 ")
    assert answer.endswith(f"unsupported Content-Encoding: {encoding}")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_just_below_the_limit_arrives_and_one_above_it_is_refused(
    pipeline: Pipeline, protocol: str
) -> None:
    # Random, so that it cannot be compressed; one attribute, so that it cannot be split.
    single = request_of(span(f"large over {protocol}", {"blob": blob()}))
    assert LIMIT * 0.99 < len(single) < LIMIT
    assert PROTOCOLS[protocol](pipeline.collector, Attempt(single)) == ACCEPTED
    pipeline.logfire.wait_for_span(f"large over {protocol}", timeout=30)

    larger = bytes(LIMIT + 1)
    attempt = (
        Attempt(gzip.compress(larger), encoding="gzip") if protocol == "http" else Attempt(larger)
    )
    assert PROTOCOLS[protocol](pipeline.collector, attempt) == TOO_LARGE


def test_a_log_and_a_metric_of_12_mb_arrive(pipeline: Pipeline) -> None:
    large = {"blob": "x" * 12_000_000}
    pipeline.collector.send(log("large", large), gauge("large.metric", 1.0, large, unit=""))

    pipeline.logfire.wait_for_log("large", timeout=30)
    pipeline.prometheus.wait_for_series("large_metric", timeout=30)


def test_http_and_grpc_share_one_limit_below_those_of_batches_and_buffer() -> None:
    protocols = read(COLLECTOR / "base.yaml")["receivers"]["otlp"]["protocols"]
    assert protocols["http"]["max_request_body_size"] == LIMIT
    assert protocols["grpc"]["max_recv_msg_size_mib"] * MEBIBYTE == LIMIT

    # Kafka takes 1 MB a message: docs/kafka.md says what that costs.
    paths = {path for room in ROOMS for path in (COLLECTOR / room).glob("*.yaml")}
    paths -= {COLLECTOR / "agents" / "to-kafka.yaml"}
    exporters = chain.from_iterable(read(path).get("exporters", {}).values() for path in paths)
    queues = [exporter.get("sending_queue", {}) for exporter in exporters]
    batches = [queue["batch"] for queue in queues if "batch" in queue]
    assert len(batches) > 4
    assert min(batch["max_size"] for batch in batches) > LIMIT * 1.1
    largest = max(batch["max_size"] for batch in batches)
    assert largest < LOGFIRE
    for path, name in BEHIND.items():
        behind = read(COLLECTOR / path)["receivers"][name]["protocols"]["grpc"]
        assert behind["max_recv_msg_size_mib"] * MEBIBYTE > largest * 1.1, name


def test_the_documented_limits_and_variables_are_those_of_the_files() -> None:
    documented = "".join((ROOT / "docs" / name).read_text() for name in ("access.md", "kafka.md"))
    assert f"may be up to {LIMIT // MEBIBYTE} MiB after decompression" in documented
    assert "has 10 s for the header and 30 s for the whole request" in " ".join(documented.split())
    paths = [COLLECTOR / "overlays" / f"{name}.yaml" for name in ("token", "tls")]
    paths += (COLLECTOR / "gateways").glob("*.yaml")
    for name in re.findall(r"\$\{env:([A-Z_]+)", "".join(path.read_text() for path in paths)):
        assert f"`{name}`" in documented, name


def test_requests_have_a_read_timeout() -> None:
    http = read(COLLECTOR / "base.yaml")["receivers"]["otlp"]["protocols"]["http"]
    assert (http["read_header_timeout"], http["read_timeout"]) == ("10s", "30s")


@pytest.mark.parametrize(
    "said", [HEAD, HEAD + b"content-length: 1000\r\n\r\nfew"], ids=["header", "body"]
)
def test_a_request_that_never_ends_is_cut_off(
    start_pipeline: StartPipeline, tmp_path: Path, said: bytes
) -> None:
    quick = tmp_path / "quick.yaml"
    quick.write_text(QUICK)
    pipeline = start_pipeline(*DEVELOPMENT, quick)

    host, _, port = pipeline.collector.env["OTLP_HTTP_LISTEN"].partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(said)
        while connection.recv(4096):  # at most a refusal; `timeout` if it is never closed
            pass
