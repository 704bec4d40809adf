"""In production, a killed collector loses none of the spans that wait for the sampler."""

import secrets
import time

import httpx
import pytest
from otelcol_runner.polling import poll_until

from tests.containers.compose import Compose
from tests.containers.docker import docker
from tests.containers.test_compose import rows

pytestmark = pytest.mark.timeout(600)
SPANS = 300


def test_a_killed_collector_loses_no_span(docker_engine: str) -> None:
    settings = {"TRACE_DECISION_WAIT": "8s", "TRACE_SAMPLE_PERCENT": "100"}
    with Compose("window", "collector", ENVIRONMENT="production", **settings) as stack:
        send(stack)
        docker("kill", stack.inspect("collector")["Id"])
        assert exported(stack) == (0, 0)
        stack.run("start", "collector")
        poll_until(
            lambda: exported(stack)[0] >= SPANS,
            "the spans that waited",
            timeout=40,
            seen=lambda: (exported(stack), stack.run("logs", "window")),
        )
        assert exported(stack) == (SPANS, SPANS)


def send(stack: Compose) -> None:
    """Send spans, each of a trace of its own."""
    now = time.time_ns()
    spans = [
        {
            "traceId": secrets.token_hex(16),
            "spanId": secrets.token_hex(8),
            "name": "waits",
            "kind": 2,
            "startTimeUnixNano": str(now),
            "endTimeUnixNano": str(now + 1_000_000),
        }
        for _ in range(SPANS)
    ]
    service = {"key": "service.name", "value": {"stringValue": "killed"}}
    body = {"resource": {"attributes": [service]}, "scopeSpans": [{"spans": spans}]}
    url = f"{stack.url('collector', 4318)}/v1/traces"

    def accepted() -> bool:
        try:
            return httpx.post(url, json={"resourceSpans": [body]}).is_success
        except httpx.TransportError:
            return False

    poll_until(accepted, "the collector's receiver", timeout=30)


def exported(stack: Compose) -> tuple[int, int]:
    """Return how many spans arrived, and of how many traces."""
    sql = "SELECT count(*) AS n, count(DISTINCT trace_id) AS traces FROM records"
    (row,) = rows(stack, f"{sql} WHERE service_name = 'killed'")
    return row["n"], row["traces"]
