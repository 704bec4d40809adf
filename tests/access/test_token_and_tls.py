"""The overlays token and tls, with real clients over HTTP and gRPC."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import trustme
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otelcol_runner.polling import poll_until
from otelcol_runner.process import ProcessFailedError
from otelcol_runner.telemetry import span
from pytest_otelcol.collector import Otelcol

from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.access.clients import (
    ACCEPTED,
    NO_CONNECTION,
    PROTOCOLS,
    UNAUTHENTICATED,
    Attempt,
    request_of,
)
from tests.support.pipeline import DEVELOPMENT, Pipeline, StartPipeline, run_pipeline
from tests.support.service import Service

TOKEN = "token-of-the-tests"


class Certificates:
    """A CA, and the receivers' certificate and key as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.renew()

    def renew(self) -> None:
        """Replace all, the CA included."""
        self.authority = trustme.CA()
        self.pem = self.authority.cert_pem.bytes()
        issued = self.authority.issue_cert("127.0.0.1", "localhost")
        issued.private_key_pem.write_to_path(self.folder / "key.pem")
        issued.cert_chain_pems[0].write_to_path(self.folder / "certificate.pem")
        self.authority.cert_pem.write_to_path(self.folder / "authority.pem")

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the overlay."""
        return {
            "OTLP_TLS_CERT_FILE": str(self.folder / "certificate.pem"),
            "OTLP_TLS_KEY_FILE": str(self.folder / "key.pem"),
        }


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def locked(
    otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Pipeline]:
    """A pipeline with both overlays."""
    env = {"OTLP_TOKEN": TOKEN, **certificates.variables}
    configs = (*DEVELOPMENT, "overlays/token", "overlays/tls")
    with run_pipeline(otelcol, configs, tmp_path_factory.mktemp("locked"), env) as running:
        yield running


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_only_the_token_over_tls_is_accepted(
    locked: Pipeline, certificates: Certificates, protocol: str
) -> None:
    trusted, other_ca = certificates.pem, trustme.CA().cert_pem.bytes()
    callers = {
        "no token": (None, trusted, UNAUTHENTICATED),
        "empty token": ("", trusted, UNAUTHENTICATED),
        "wrong token": ("token-of-somebody-else", trusted, UNAUTHENTICATED),
        "a prefix of the token": (TOKEN[:-1], trusted, UNAUTHENTICATED),
        "token and more": (f"{TOKEN}s", trusted, UNAUTHENTICATED),
        "the placeholder of base.yaml": ("unused", trusted, UNAUTHENTICATED),
        "plain text": (TOKEN, None, NO_CONNECTION),
        "trusts another CA": (TOKEN, other_ca, NO_CONNECTION),
        "the token": (TOKEN, trusted, ACCEPTED),
    }
    for name, (token, authority, expected) in callers.items():
        attempt = Attempt(request_of(span(f"{protocol}: {name}")), token, authority)
        assert PROTOCOLS[protocol](locked.collector, attempt) == expected, name

    locked.logfire.wait_for_span(f"{protocol}: the token")
    arrived = {span.name for span in locked.logfire.spans if span.name.startswith(f"{protocol}: ")}
    assert arrived == {f"{protocol}: the token"}
    assert TOKEN not in locked.collector.output()


def test_the_service_sends_all_signals_through_both(
    postgres: Postgres, redis: Redis, locked: Pipeline, certificates: Certificates
) -> None:
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://{locked.collector.env['OTLP_HTTP_LISTEN']}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{TOKEN}",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.folder / "authority.pem"),
        # Where they are set, they take precedence over the line above.
        "REQUESTS_CA_BUNDLE": "",
        "CURL_CA_BUNDLE": "",
    }
    with Service(postgres, redis, env) as service:
        service.run("word_statistics", "one two three")
        locked.logfire.wait_for_span("agent_execution")
        locked.logfire.wait_for_log("Agent task completed")
        locked.prometheus.wait_for_series("agentical_queue_depth", {"job": "agentical-api"})


def test_a_grpc_producer_needs_only_the_standard_variables(
    locked: Pipeline, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"https://{locked.collector.env['OTLP_GRPC_LISTEN']}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{TOKEN}")
    certificate = str(certificates.folder / "authority.pem")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    with provider.get_tracer("access").start_as_current_span("by the SDK over gRPC"):
        pass
    provider.shutdown()

    locked.logfire.wait_for_span("by the SDK over gRPC")


@pytest.mark.parametrize("token", [{}, {"OTLP_TOKEN": ""}], ids=["not set", "empty"])
def test_without_a_token_the_overlay_does_not_start(
    start_pipeline: StartPipeline, token: dict[str, str]
) -> None:
    sentence = "bearertokenauth/otlp_token: no bearer token provided"
    with pytest.raises(ProcessFailedError, match=sentence):
        start_pipeline(*DEVELOPMENT, "overlays/token", **token)


def test_without_a_certificate_the_overlay_does_not_start(start_pipeline: StartPipeline) -> None:
    with pytest.raises(ProcessFailedError, match="must include both certificate and key"):
        start_pipeline(*DEVELOPMENT, "overlays/tls")


def test_a_blank_token_refuses_every_request(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, "overlays/token", OTLP_TOKEN="  ")

    for protocol, token in product(PROTOCOLS, ("", "  ", "unused")):
        assert PROTOCOLS[protocol](pipeline.collector, Attempt(b"", token)) == UNAUTHENTICATED, (
            protocol,
            token,
        )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_old_and_new_token_are_valid_during_a_rotation(
    start_pipeline: StartPipeline, protocol: str
) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, "overlays/token", OTLP_TOKEN="new-token\nold-token")

    attempts = [Attempt(b"", token) for token in ("old-token", "new-token", "older-token")]
    answers = [PROTOCOLS[protocol](pipeline.collector, attempt) for attempt in attempts]
    assert answers == [ACCEPTED, ACCEPTED, UNAUTHENTICATED]


def test_a_client_ca_admits_only_certificates_it_signed(
    start_pipeline: StartPipeline, certificates: Certificates, tmp_path: Path
) -> None:
    theirs, other_ca = trustme.CA(), trustme.CA()
    theirs.cert_pem.write_to_path(tmp_path / "producers.pem")
    issuers = {"producer.pem": theirs, "other_ca.pem": other_ca}
    for name, authority in issuers.items():
        issued = authority.issue_cert("producer")
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / name)
    env = {**certificates.variables, "OTLP_TLS_CLIENT_CA_FILE": str(tmp_path / "producers.pem")}
    collector = start_pipeline(*DEVELOPMENT, "overlays/tls", **env).collector

    for protocol in PROTOCOLS:
        answers = [
            PROTOCOLS[protocol](
                collector, Attempt(b"", authority=certificates.pem, certificate=certificate)
            )
            for certificate in (tmp_path / "producer.pem", tmp_path / "other_ca.pem", None)
        ]
        assert answers == [ACCEPTED, NO_CONNECTION, NO_CONNECTION], protocol


def test_a_renewed_certificate_is_loaded_without_a_restart(
    start_pipeline: StartPipeline, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path)
    pipeline = start_pipeline(*DEVELOPMENT, "overlays/tls", **certificates.variables)
    old = Attempt(b"", authority=certificates.pem)
    assert [PROTOCOLS[protocol](pipeline.collector, old) for protocol in PROTOCOLS] == [
        ACCEPTED,
        ACCEPTED,
    ]

    certificates.renew()
    new = Attempt(b"", authority=certificates.pem)
    for protocol in PROTOCOLS:
        poll_until(
            lambda protocol=protocol: PROTOCOLS[protocol](pipeline.collector, new) == ACCEPTED,  # type: ignore[misc]
            f"the new certificate over {protocol}",
        )
        assert PROTOCOLS[protocol](pipeline.collector, old) == NO_CONNECTION
