"""How the services start: resource attributes, several processes, bad variables, SDK off."""

import logging

import pytest
from otelcol_runner.polling import poll_until
from pytest_otelcol.sinks import OtlpSink

from app.sdk_health import OncePerInterval
from app.settings import SettingsError, load
from app.telemetry import TelemetryError, instrument
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.service import Service

UVICORN = ("uvicorn", "app.api:app", "--port=PORT", "--workers=2")
GUNICORN = ("gunicorn", "app.api:app", "--bind=127.0.0.1:PORT", "--workers=2", "-k=asgi")


@pytest.mark.parametrize("server", [UVICORN, (*GUNICORN, "--preload")], ids=["uvicorn", "gunicorn"])
def test_every_server_process_has_its_own_instance_id(
    postgres: Postgres, redis: Redis, server: tuple[str, ...]
) -> None:
    with OtlpSink("otlp receiver") as sink:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.version=7.8",
            "OTEL_SERVICE_NAME": "renamed",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "x-tenant",
        }
        with Service(postgres, redis, env, server=server, workers=0) as service:
            started = sink.wait_for(
                lambda s: (
                    [x for x in s.logs if x.body == "API started"][:2]
                    if sum(x.body == "API started" for x in s.logs) == 2
                    else None
                ),
                "two processes started",
            )
            service.client.get("/health", headers={"x-tenant": "blue"})
            header = {"http.request.header.x_tenant": ["blue"]}
            span = sink.wait_for_span("GET /health", header)
            connected = "http.server.open_connections"
            sink.wait_for(
                lambda s: any(p.name == connected and p.value == 1 for p in s.points),
                "the test's own connection, at the process that has it",
            )
        assert len({log.resource["service.instance.id"] for log in started}) == 2
        expected = {
            "service.name": "renamed",
            "service.version": "7.8",
            "deployment.environment.name": "test",
        }
        assert span.resource.items() >= expected.items()
        stopped = {x.resource["service.instance.id"] for x in sink.logs if x.body == "API stopped"}
        assert stopped == {log.resource["service.instance.id"] for log in started}


def test_with_the_sdk_disabled_the_service_works_and_sends_nothing(
    postgres: Postgres, redis: Redis
) -> None:
    with OtlpSink("otlp receiver") as sink:
        env = {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url}
        with Service(postgres, redis, env) as service:
            service.client.put("/documents/d2", json={"text": "Nothing is sent."})
            assert service.run("summarize_document", "d2")["status"] == "success"
        assert sink.requests == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("API_PORT", "http", "API_PORT: Input should be a valid integer"),
        ("POSTGRES_PORT", "70000", "POSTGRES_PORT: Input should be less than or equal to 65535"),
        ("API_URL", "localhost", "API_URL: String should match pattern"),
    ],
)
def test_a_bad_variable_is_refused_by_name_and_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=sentence) as refused:
        load()
    assert value not in str(refused.value).removeprefix("environment variable")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "must be http/protobuf, or not set"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json", "must be http/protobuf, or not set"),
        ("OTEL_METRICS_EXPORTER", "console", "must be otlp or none, or not set"),
    ],
)
def test_an_unsupported_exporter_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(TelemetryError, match=f"{name} {sentence}"):
        instrument()


@pytest.mark.parametrize("module", ["app.api", "app.worker"])
def test_a_service_that_cannot_start_exits_with_one_sentence(
    postgres: Postgres, redis: Redis, module: str
) -> None:
    service = Service(postgres, redis, {"POSTGRES_PASSWORD": "wrong", "OTEL_SDK_DISABLED": "true"})
    done = service.start_in_vain(module)
    assert done.returncode != 0
    assert "check POSTGRES_USER and POSTGRES_PASSWORD" in done.stderr
    assert "wrong" not in done.stderr


def test_a_repeated_warning_is_rate_limited_with_a_count() -> None:
    gate = OncePerInterval(0.2)

    def warning() -> logging.LogRecord:
        return logging.LogRecord("x", logging.WARNING, "", 1, "failed: %s", ("why",), None)

    assert [gate.filter(warning()) for _ in range(3)] == [True, False, False]

    def next_one() -> str | None:
        record = warning()
        return record.getMessage() if gate.filter(record) else None

    assert poll_until(next_one, "the next warning").startswith("failed: why (")
