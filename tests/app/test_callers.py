"""A caller's sampling decision does not decide what is counted: the collector samples."""

import secrets
from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.plugin import given_binary

from stack.services.collector import FEATURE_GATES
from stack.tools import toolchain
from tests.app.test_tracing import traced
from tests.support.pipeline import run_pipeline


@pytest.fixture
def otelcol(pytestconfig: pytest.Config) -> Otelcol:
    return Otelcol(given_binary(pytestconfig) or toolchain.collector(), [FEATURE_GATES])


def test_requests_that_the_caller_does_not_sample_are_counted_and_kept(
    otelcol: Otelcol, tmp_path: Path
) -> None:
    configs = ("environments/development", "routes/hybrid")
    callers = [{"traceparent": f"00-{secrets.token_hex(16)}-{'1' * 16}-00"} for _ in range(9)]
    with run_pipeline(otelcol, configs, tmp_path, {}) as pipeline:
        with traced(pipeline.collector.endpoint, {}) as client:
            for headers in [{}, *callers]:
                assert client.get("/shop/items/7", headers=headers).status_code == 200
        labels = {"job": "traced", "endpoint": "/shop/items/{item}"}
        pipeline.prometheus.wait_for_series("agentical_requests_total", labels, value=10)
        kept = pipeline.logfire.wait_for(
            lambda s: [x for x in s.spans if x.kind == "SERVER"][:10][9:] and s.spans,
            "ten SERVER spans",
        )
    asked = {headers["traceparent"].split("-")[1] for headers in callers}
    assert asked < {span.trace_id for span in kept}
