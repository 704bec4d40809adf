"""The collector, the service, the command line and process lists show no secret."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Metric,
)
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import counter, span
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from stack.paths import ROOT
from stack.pipeline.ports import LISTEN
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.pipeline import StartPipeline, files
from tests.support.service import Service

AWAY = {"LOGFIRE_ENDPOINT_SECOND": "http://127.0.0.1:9", "SECOND_NAMESPACE": "nobody"}
SECRETS = {
    "LOGFIRE_TOKEN": "secret-of-logfire",
    "LOGFIRE_TOKEN_SECOND": "secret-of-the-second-project",
    "OTLP_TOKEN": "secret-of-the-receivers",
    "POSTGRES_PASSWORD": "secret-of-postgres",
    "PROMETHEUS_AUTHORIZATION": "secret-of-prometheus",
    "REDIS_PASSWORD": "secret-of-redis",
}
ALL = (
    "overlays/token",
    "infrastructure/host",
    "infrastructure/postgresql",
    "infrastructure/redis",
    "environments/development",
    "routes/hybrid",
    "overlays/also-viewer",
    "overlays/also-scrape",
    "overlays/two-projects",
)


def shown(text: str, secrets: Mapping[str, str] = SECRETS) -> set[str]:
    """Return the variables whose secret is in the text."""
    return {name for name, secret in secrets.items() if secret in text}


def command_lines(pid: int) -> list[list[str]]:
    """Return the command lines of a process and its children, which every user can see."""
    top = psutil.Process(pid)
    return [process.cmdline() for process in (top, *top.children(recursive=True))]


def said(otelcol: Otelcol, *arguments: str, **env: str) -> tuple[int, str]:
    """Run a command of the collector on all files; returns its exit code and output."""
    configs = [f"--config=file:{path}" for path in files(ALL)]
    done = subprocess.run(
        [str(otelcol.binary), *arguments, *otelcol.arguments, *configs],
        env={**SECRETS, **AWAY, **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_print_config_redacts_every_secret_by_default(otelcol: Otelcol) -> None:
    code, printed = said(otelcol, "print-config")
    assert (code, shown(printed)) == (0, set())
    assert printed.count("[REDACTED]") >= len(SECRETS)

    code, printed = said(otelcol, "print-config", "--mode=unredacted")
    assert (code, shown(printed)) == (0, set(SECRETS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUEUE_BYTES", "many"),
        ("SPAN_METRICS_INTERVAL", "soon"),
        ("REDACT_EMAIL_PATTERN", "("),
        ("OTLP_GRPC_LISTEN", "nowhere.invalid:1"),
        ("SELF_METRICS_PORT", "first"),
        ("COLLECTOR_QUEUE_DIR", "/dev/null/queue"),
        ("METRICS_BUFFER_LISTEN", "nowhere"),
    ],
)
def test_a_collector_that_cannot_start_says_why_without_a_secret(
    otelcol: Otelcol, tmp_path: Path, name: str, value: str
) -> None:
    own = dict.fromkeys(LISTEN, "127.0.0.1:0")
    own |= {"SELF_METRICS_PORT": "0", "COLLECTOR_QUEUE_DIR": str(tmp_path)}
    code, printed = said(otelcol, **{**own, name: value})
    assert code != 0
    assert shown(printed) == set()


def test_a_collector_refused_by_all_backends_shows_no_secret(
    start_pipeline: StartPipeline, postgres: Postgres, redis: Redis
) -> None:
    ports = {"POSTGRES_PORT": str(postgres.port), "REDIS_PORT": str(redis.port)}
    pipeline = start_pipeline(*ALL, **SECRETS, **AWAY, **ports)
    pipeline.logfire.refuse(401)
    headers = {"authorization": f"Bearer {SECRETS['OTLP_TOKEN']}"}
    pipeline.collector.send(span("refused"), headers=headers)

    for refusal in ("password authentication failed", "WRONGPASS", "401"):
        poll_until(lambda said=refusal: said in pipeline.collector.output(), refusal)  # type: ignore[misc]
    listen = pipeline.collector.env
    for place in (listen["HEALTH_LISTEN"], f"127.0.0.1:{listen['SELF_METRICS_PORT']}/metrics"):
        with urllib.request.urlopen(f"http://{place}", timeout=5) as answer:
            assert shown(answer.read().decode()) == set()
    assert shown(pipeline.collector.output()) == set()
    assert shown(" ".join(psutil.Process(pipeline.collector.pid).cmdline())) == set()


def test_a_token_that_no_header_can_carry_is_not_printed_by_the_collector(
    start_pipeline: StartPipeline,
) -> None:
    broken = {"LOGFIRE_TOKEN": f"{SECRETS['LOGFIRE_TOKEN']}\n", **AWAY}
    broken["PROMETHEUS_AUTHORIZATION"] = f"Bearer {SECRETS['PROMETHEUS_AUTHORIZATION']}\nx"
    pipeline = start_pipeline("environments/development", "routes/hybrid", **broken)
    pipeline.collector.send(span("unsent"), counter("unsent", 1))
    for exporter in ("otlp_http/logfire", "prometheus_remote_write"):
        poll_until(
            lambda name=exporter: any(  # type: ignore[misc]
                f'"{name}"' in line and 'invalid header field value for \\"Authorization' in line
                for line in pipeline.collector.output().splitlines()
            ),
            f"the error of {exporter}",
            seen=pipeline.collector.tail,
        )
    assert shown(pipeline.collector.output()) == set()


def too_coarse(name: str) -> Metric:
    """Return an exponential histogram that Prometheus cannot store: its scale is below -4."""
    point = ExponentialHistogramDataPoint(time_unix_nano=time.time_ns(), count=1, sum=1, scale=-10)
    point.positive.bucket_counts.append(1)
    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    data = ExponentialHistogram(data_points=[point], aggregation_temporality=cumulative)
    return Metric(name=name, exponential_histogram=data)


def test_a_password_in_a_url_does_not_reach_prometheus_as_a_label(
    start_pipeline: StartPipeline, remote_write_sink: RemoteWriteSink
) -> None:
    pipeline = start_pipeline(
        "environments/development",
        "routes/hybrid",
        PROMETHEUS_REMOTE_WRITE_ENDPOINT=remote_write_sink.url.replace("//", "//user:secret@"),
        PROMETHEUS_AUTHORIZATION="Bearer of the header",
        SELF_METRICS_INTERVAL_MS="500",
    )
    pipeline.collector.send(too_coarse("untranslatable"))
    name = "otelcol_exporter_prometheusremotewrite_failed_translations_total"
    series = remote_write_sink.wait_for_series(name)
    assert "http" in series.labels["endpoint"]
    assert "secret" not in str(remote_write_sink.series())
    assert remote_write_sink.requests[-1].headers["authorization"] == "Bearer of the header"


def test_the_service_shows_no_secret_in_output_telemetry_or_command_line(
    postgres: Postgres, redis: Redis
) -> None:
    secrets = {
        "header": "secret-of-a-caller",
        "cookie": "secret-of-a-session",
        "exporter": "secret-of-the-receivers",
        "servers": "test-password",
    }
    with OtlpSink("otlp receiver") as sink:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{secrets['exporter']}",
        }
        with Service(postgres, redis, env) as service:
            credentials = {
                "authorization": f"Bearer {secrets['header']}",
                "cookie": f"session={secrets['cookie']}",
            }
            service.client.get("/agents/researcher/stats", headers=credentials).raise_for_status()
            service.run("word_statistics", "one two")
            sink.wait_for_span("GET /agents/{agent_id}/stats")
            sink.wait_for_span("agent_execution")
            processes = [service.api, *service.workers, postgres, redis]
            # The arguments, too: a server may overwrite what the process list shows.
            started = [(process.argv, command_lines(process.pid)) for process in processes]
        printed = service.api.output() + "".join(worker.output() for worker in service.workers)
    assert shown(f"{started}", secrets) == set()
    assert shown(printed, secrets) == set()
    assert shown(f"{sink.spans} {sink.logs} {sink.points}", secrets) == set()


@pytest.mark.parametrize("command", [["doctor"], ["query", "SELECT 1"], ["demo"]], ids=" ".join)
def test_the_command_line_shows_no_secret_when_nothing_answers(command: list[str]) -> None:
    places = ("LOGFIRE_ENDPOINT", "LOGFIRE_QUERY_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    env = dict.fromkeys((*places, "PROMETHEUS_URL"), "http://user:secret-of-a-url@127.0.0.1:9")
    env |= {"LOGFIRE_READ_TOKEN": "secret-to-read", **SECRETS}
    env |= {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{SECRETS['OTLP_TOKEN']}"}
    done = subprocess.run(
        [Path(sys.executable).with_name("agentical"), *command],
        env={**os.environ, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 1
    assert "://***@127.0.0.1:9" in printed or "LOGFIRE_ENDPOINT contains a user" in printed
    assert shown(printed, {**env, "URL": "secret-of-a-url"}) == set()
