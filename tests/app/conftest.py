"""The service's processes with an OTLP receiver."""

from collections.abc import Iterator

import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from pytest_otelcol.sinks import OtlpSink

from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.service import Service


@pytest.fixture(scope="module")
def sink() -> Iterator[OtlpSink]:
    with OtlpSink("otlp receiver") as sink:
        yield sink


@pytest.fixture(scope="module")
def service(postgres: Postgres, redis: Redis, sink: OtlpSink) -> Iterator[Service]:
    """An API and a worker, sending to `sink`."""
    with Service(postgres, redis, {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url}) as service:
        yield service


@pytest.fixture(autouse=True)
def plain_clients() -> Iterator[None]:
    """Hold that no test instruments the tests' own process, whose requests would join a trace."""
    yield
    assert not HTTPXClientInstrumentor().is_instrumented_by_opentelemetry
