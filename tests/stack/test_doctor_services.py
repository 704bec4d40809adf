"""What the doctor tells about services, with real ones of each kind that it has to tell apart."""

import json
import os
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.process import Process

from stack.clients.prometheus import PromQL
from stack.services.collector import Collector
from stack.services.prometheus import Prometheus
from stack.services.stand_in import StandIn
from tests.stack.conftest import Agentical
from tests.stack.pipeline import Pipeline
from tests.support.service import FAST, inherited

SHOP = Path(__file__).parent / "services" / "shop.py"
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "sound": ("none", {}),
    "wrapped": ("outside", {"FASTAPI_OTEL_AUTO_CONFIGURE": "false"}),
    "repeated": ("exporter", {}),
    "nested": ("inside", {}),
    "obedient": ("none", {"OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true"}),
    "uncounted": ("none", {}),
    "traceless": ("none", {"OTEL_TRACES_EXPORTER": "none"}),
}
NOT_SAMPLED = {"obedient", "uncounted"}
TIMES = 20


class Shop(Process):
    """One process of `services/shop.py`."""

    def __init__(self, name: str) -> None:
        added, env = KINDS[name]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        variables = {
            **inherited(),
            **FAST,
            "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"],
            "OTEL_SERVICE_NAME": name,
            "PORT": str(port),
            **env,
        }
        command = [sys.executable, str(SHOP), added]
        super().__init__(name, command, env=variables, clean_env=True, ready=self._answers)

    def get(self, path: str, *, sampled: bool = True) -> None:
        parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-0{int(sampled)}"
        headers = {"traceparent": parent} if not sampled else {}
        httpx.get(self.url + path, headers=headers, trust_env=False).raise_for_status()

    def _answers(self) -> bool:
        try:
            self.get("/calls")
        except httpx.TransportError as error:
            raise OSError(str(error)) from error
        return True


@pytest.fixture(scope="module")
def collector(
    running_stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """A collector, after every kind of service has had its requests."""
    running_stand_in.reset()
    data = tmp_path_factory.mktemp("services")
    with (
        Prometheus(free_port(), data / "prometheus") as prometheus,
        pytest.MonkeyPatch.context() as monkeypatch,
        Pipeline(data, running_stand_in, prometheus).collector(monkeypatch) as collector,
        ExitStack() as running,
    ):
        with ThreadPoolExecutor() as starting:
            started = starting.map(lambda name: running.enter_context(Shop(name)), KINDS)
        shops = dict(zip(KINDS, started, strict=True))
        # In two rounds, or the metric's only value would be its first.
        for requests in (1, TIMES):
            for name, shop in shops.items():
                for number in range(requests):
                    shop.get(f"/items/{number}", sampled=name not in NOT_SAMPLED or requests == 1)
            wait_for_metrics(prometheus.url, requests)
        yield collector


def wait_for_metrics(url: str, least: int) -> None:
    """Wait until each service counts so many requests at a step of the doctor's query."""
    name, route = "http_server_request_duration_seconds", '{http_route="/items/{item}"}'
    counter = f"{name}_count{route} or histogram_count({name}{route})"
    query = f"max by (job) (max_over_time(({counter})[10m:5s]))"  # steps as in `grown`
    with PromQL(url) as prometheus:
        poll_until(
            lambda: (
                {job for job, n in prometheus.by("job", query).items() if n >= least} >= {*KINDS}
            ),
            f"{least} requests in the own metric of {', '.join(KINDS)}",
            seen=lambda: prometheus.by("job", query),
        )


@pytest.mark.usefixtures("collector")
def test_what_is_wrong_with_a_service_is_said_and_of_a_sound_one_nothing(
    agentical: Agentical,
) -> None:
    def services() -> dict[str, dict[str, Any]]:
        report = json.loads(agentical("doctor", "--json", "--timeout", "20").out)
        assert report["services_problems"] == []
        return {one["name"]: one for one in report["services"]}

    def findings() -> dict[str, list[str]]:
        return {name: one["findings"] for name, one in services().items() if one["findings"]}

    wrong = KINDS.keys() - {"sound"}
    found = poll_until(
        lambda: told if (told := findings()).keys() >= wrong else None,
        f"a finding for each of {', '.join(sorted(wrong))}",
        timeout=60,
        interval=1,
        seen=findings,
    )
    assert found.keys() == wrong
    assert all(len(sentences) == 1 for sentences in found.values()), found
    ((wrapped,), (nested,)) = found["wrapped"], found["nested"]
    both = "scopes fastapi and opentelemetry.instrumentation.asgi"
    assert wrapped.startswith(f"each request is counted twice, by spans of the {both}")
    assert "fastapi and inside it of opentelemetry.instrumentation.fastapi, as for GET /" in nested
    assert (
        "spans arrive twice, and their requests are counted twice: remove one of two"
        in (found["repeated"][0])
    )
    # An endpoint's 3 operation spans of FastAPI are dropped with its request.
    assert found["obedient"][0].startswith(
        f"its sampler dropped {4 * TIMES} spans, {TIMES} of them for a caller: set "
        "OTEL_TRACES_SAMPLER=always_on"
    )
    assert found["uncounted"][0].startswith(
        f"its own metric counts {TIMES} requests of /items/{{item}} in 10 minutes, but its spans "
        "only 1: set OTEL_TRACES_SAMPLER=always_on"
    )
    assert "but no span of a request arrives: set OTEL_TRACES_EXPORTER" in found["traceless"][0]


@pytest.mark.usefixtures("collector")
def test_one_service_is_described_by_its_scopes_and_routes(agentical: Agentical) -> None:
    def described() -> str | None:
        ended = agentical("doctor", "--service", "sound", "--timeout", "20")
        assert ended.code == 0
        return ended.out if f"/items/{{item}} │ 200    │       {1 + TIMES} │" in ended.out else None

    out = poll_until(described, f"{1 + TIMES} requests of /items", interval=1)
    assert "spans by instrumentation scope: fastapi (" in out
    assert "opentelemetry.instrumentation.httpx (" in out
    assert "GET    │ /calls/inner" in out
    assert "wrapped" not in out
    assert "likely causes" not in out


def test_a_service_with_the_wrong_protocol_is_missed_with_the_cause(
    collector: Collector, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = OTLPSpanExporter(endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], timeout=1)
    lost = ReadableSpan("lost", SpanContext(1, 1, is_remote=False))
    assert exporter.export([lost]) is SpanExportResult.FAILURE
    exporter.shutdown()
    silent = agentical("doctor", "--service", "shop-by-grpc", "--timeout", "20")
    assert silent.code == 1
    assert "nothing of shop-by-grpc has arrived in the last 10 minutes" in silent.out
    assert " 1. the protocol: port 4318 takes OTLP over HTTP, 4317 over gRPC." in silent.out

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{collector.env['OTLP_GRPC_LISTEN']}")
    at_grpc = agentical("doctor", "--service", "Sounds")
    assert at_grpc.code == 1
    assert "does not speak HTTP/1.1: it may be the port of OTLP over gRPC" in at_grpc.out
    assert "is it sound?" in at_grpc.out
    assert "solve that first" in at_grpc.out
