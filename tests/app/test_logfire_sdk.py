"""Telemetry of a service on the logfire SDK passes the shipped collector unchanged."""

import functools
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from otelcol_runner.ports import accepts, free_port
from otelcol_runner.process import Process
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.plugin import given_binary

from stack.paths import ROOT
from stack.services.collector import FEATURE_GATES
from stack.tools import toolchain
from tests.support.pipeline import run_pipeline
from tests.support.service import inherited


@pytest.fixture
def otelcol(pytestconfig: pytest.Config) -> Otelcol:
    return Otelcol(given_binary(pytestconfig) or toolchain.collector(), [FEATURE_GATES])


def test_a_service_on_the_logfire_sdk_reaches_both_backends(
    otelcol: Otelcol, tmp_path: Path
) -> None:
    port = free_port()
    configs = ("environments/development", "routes/hybrid")
    with run_pipeline(otelcol, configs, tmp_path, {}) as pipeline:
        env = {
            **inherited(),
            "OTEL_EXPORTER_OTLP_ENDPOINT": pipeline.collector.endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
        }
        with (
            service(port, env),
            httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        ):
            assert client.get("/hello/you").json() == {"hello": "you"}
            assert client.get("/broken").status_code == 500
            logfire = pipeline.logfire
            request = logfire.wait_for_span("GET /hello/{name}")
            greeting = logfire.wait_for_span("greeting {name}", {"name": "you"})
            hello = logfire.wait_for_span("hello {name}")
            broken = logfire.wait_for_span("GET /broken")
            pipeline.prometheus.wait_for_series("greetings_total", {"job": "legacy"}, value=1)
    assert (request.kind, request.resource["service.name"]) == ("SERVER", "legacy")
    assert (greeting.trace_id, greeting.parent_span_id) == (request.trace_id, request.span_id)
    assert hello.attributes["logfire.msg"] == "hello you"
    assert [event.name for event in broken.events][:1] == ["exception"]


def service(port: int, env: Mapping[str, str]) -> Process:
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "tests.app.services.with_logfire:app",
        f"--port={port}",
    ]
    ready = functools.partial(accepts, port)
    return Process("legacy", command, env=env, clean_env=True, ready=ready, cwd=ROOT)
