"""The doors' overlays: a token and TLS, tried by real clients over HTTP and gRPC."""

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

from stack.services.servers import Postgres, Redis
from tests.app.house import House
from tests.collector.conftest import StartPipeline
from tests.collector.pipeline import DEVELOPMENT, Pipeline, run_pipeline
from tests.doors.knocking import DOORS, NO_ENTRY, NOBODY, TAKEN, Knock, request_of

TOKEN = "token-of-the-doors"


class Certificates:
    """An authority, and the certificate and key of the receivers as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.renew()

    def renew(self) -> None:
        """Replace all, the authority included."""
        self.authority = trustme.CA()
        self.pem = self.authority.cert_pem.bytes()
        issued = self.authority.issue_cert("127.0.0.1", "localhost")
        issued.private_key_pem.write_to_path(self.folder / "key.pem")
        issued.cert_chain_pems[0].write_to_path(self.folder / "certificate.pem")
        self.authority.cert_pem.write_to_path(self.folder / "authority.pem")

    @property
    def variables(self) -> dict[str, str]:
        """What the overlay asks for."""
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
    """A pipeline behind both."""
    env = {"OTLP_TOKEN": TOKEN, **certificates.variables}
    configs = (*DEVELOPMENT, "doors/token", "doors/tls")
    with run_pipeline(otelcol, configs, tmp_path_factory.mktemp("locked"), env) as running:
        yield running


@pytest.mark.parametrize("door", DOORS)
def test_only_the_token_over_tls_is_let_in(
    locked: Pipeline, certificates: Certificates, door: str
) -> None:
    trusted, stranger = certificates.pem, trustme.CA().cert_pem.bytes()
    callers = {
        "no token": (None, trusted, NOBODY),
        "empty token": ("", trusted, NOBODY),
        "wrong token": ("token-of-the-windows", trusted, NOBODY),
        "a part of it": (TOKEN[:-1], trusted, NOBODY),
        "token and more": (f"{TOKEN}s", trusted, NOBODY),
        "base.yaml's own": ("unused", trusted, NOBODY),
        "plain text": (TOKEN, None, NO_ENTRY),
        "trusts somebody else": (TOKEN, stranger, NO_ENTRY),
        "the token": (TOKEN, trusted, TAKEN),
    }
    for name, (token, trusts, expected) in callers.items():
        knock = Knock(request_of(span(f"{door}: {name}")), token, trusts)
        assert DOORS[door](locked.collector, knock) == expected, name

    locked.logfire.wait_for_span(f"{door}: the token")
    arrived = {span.name for span in locked.logfire.spans if span.name.startswith(f"{door}: ")}
    assert arrived == {f"{door}: the token"}
    assert TOKEN not in locked.collector.output()


def test_the_service_sends_all_signals_through_both(
    postgres: Postgres, redis: Redis, locked: Pipeline, certificates: Certificates
) -> None:
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://{locked.collector.env['OTLP_HTTP_LISTEN']}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{TOKEN}",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.folder / "authority.pem"),
        # Where they are set, they win over the line above.
        "REQUESTS_CA_BUNDLE": "",
        "CURL_CA_BUNDLE": "",
    }
    with House(postgres, redis, env) as house:
        house.run("word_statistics", "one two three")
        locked.logfire.wait_for_span("agent_execution")
        locked.logfire.wait_for_log("Agent task completed")
        locked.prometheus.wait_for_series("agentical_queue_depth", {"job": "agentical-api"})


def test_a_producer_that_speaks_grpc_needs_the_standard_variables_alone(
    locked: Pipeline, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"https://{locked.collector.env['OTLP_GRPC_LISTEN']}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{TOKEN}")
    certificate = str(certificates.folder / "authority.pem")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    with provider.get_tracer("doors").start_as_current_span("by the SDK over gRPC"):
        pass
    provider.shutdown()

    locked.logfire.wait_for_span("by the SDK over gRPC")


@pytest.mark.parametrize("token", [{}, {"OTLP_TOKEN": ""}], ids=["not set", "empty"])
def test_without_a_token_the_overlay_does_not_start(
    start_pipeline: StartPipeline, token: dict[str, str]
) -> None:
    sentence = "bearertokenauth/otlp_token: no bearer token provided"
    with pytest.raises(ProcessFailedError, match=sentence):
        start_pipeline(*DEVELOPMENT, "doors/token", **token)


def test_without_a_certificate_the_overlay_does_not_start(start_pipeline: StartPipeline) -> None:
    with pytest.raises(ProcessFailedError, match="must include both certificate and key"):
        start_pipeline(*DEVELOPMENT, "doors/tls")


def test_a_token_of_blanks_lets_nobody_in(start_pipeline: StartPipeline) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, "doors/token", OTLP_TOKEN="  ")

    for door, token in product(DOORS, ("", "  ", "unused")):
        assert DOORS[door](pipeline.collector, Knock(b"", token)) == NOBODY, (door, token)


@pytest.mark.parametrize("door", DOORS)
def test_while_a_token_is_changed_the_old_and_the_new_one_are_valid(
    start_pipeline: StartPipeline, door: str
) -> None:
    pipeline = start_pipeline(*DEVELOPMENT, "doors/token", OTLP_TOKEN="new-token\nold-token")

    knocks = [Knock(b"", token) for token in ("old-token", "new-token", "older-token")]
    answers = [DOORS[door](pipeline.collector, knock) for knock in knocks]
    assert answers == [TAKEN, TAKEN, NOBODY]


def test_with_an_authority_for_producers_only_their_certificates_are_let_in(
    start_pipeline: StartPipeline, certificates: Certificates, tmp_path: Path
) -> None:
    theirs, stranger = trustme.CA(), trustme.CA()
    theirs.cert_pem.write_to_path(tmp_path / "producers.pem")
    proofs = {"producer.pem": theirs, "stranger.pem": stranger}
    for name, authority in proofs.items():
        issued = authority.issue_cert("producer")
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / name)
    env = {**certificates.variables, "OTLP_TLS_CLIENT_CA_FILE": str(tmp_path / "producers.pem")}
    collector = start_pipeline(*DEVELOPMENT, "doors/tls", **env).collector

    for door in DOORS:
        answers = [
            DOORS[door](collector, Knock(b"", trusts=certificates.pem, proof=proof))
            for proof in (tmp_path / "producer.pem", tmp_path / "stranger.pem", None)
        ]
        assert answers == [TAKEN, NO_ENTRY, NO_ENTRY], door


def test_a_renewed_certificate_is_taken_up_without_a_restart(
    start_pipeline: StartPipeline, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path)
    pipeline = start_pipeline(*DEVELOPMENT, "doors/tls", **certificates.variables)
    old = Knock(b"", trusts=certificates.pem)
    assert [DOORS[door](pipeline.collector, old) for door in DOORS] == [TAKEN, TAKEN]

    certificates.renew()
    new = Knock(b"", trusts=certificates.pem)
    for door in DOORS:
        poll_until(
            lambda door=door: DOORS[door](pipeline.collector, new) == TAKEN,  # type: ignore[misc]
            f"the new certificate over {door}",
        )
        assert DOORS[door](pipeline.collector, old) == NO_ENTRY
