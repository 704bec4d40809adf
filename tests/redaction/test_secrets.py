"""No secret of the corpus leaves the collector, from any place, on any route."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.telemetry import log
from pytest_otelcol.collector import Otelcol

from tests.redaction.places import Load, requests_of, send, send_as_agent
from tests.redaction.secrets import EMAIL, EMAIL_PATTERN, KEYS, PASSWORD, SECRETS
from tests.support.pipeline import Pipeline, run_pipeline

ROUTES = ("routes/hybrid", "routes/logfire-only")
ENVIRONMENTS = ("environments/development", "environments/production")
OVERLAYS = ("overlays/also-viewer", "overlays/also-scrape")
NO_INSTANCE = {"service.instance.id": ""}
VARIABLES = {"REDACT_EMAIL_PATTERN": EMAIL_PATTERN}
NEEDLES = {
    **{secret.needle: secret.name for secret in (*SECRETS, EMAIL)},
    PASSWORD: "a value under a key",
}


def loads() -> list[Load]:
    texts = [secret.text for secret in (*SECRETS, EMAIL)]
    in_places = [Load(number, text) for number, text in enumerate(texts)]
    keys = {secret.text: "v" for secret in SECRETS if secret.in_key}
    # Without an instance of its own, a process gets one made of its host's name.
    hosts = [
        Load(2000 + number, text, everywhere=False, attributes={"host.name": text, **NO_INSTANCE})
        for number, text in enumerate(texts)
    ]
    in_keys = Load(1000, "keys", everywhere=False, attributes=keys)
    by_key = Load(1001, "by key", everywhere=False, attributes=dict.fromkeys(KEYS, PASSWORD))
    card = 4111111111111111
    numbers = {"int": card, "double": float(card), "ints": [card]}
    number = Load(1002, "n", everywhere=False, attributes=numbers)
    return [*in_places, *hosts, in_keys, by_key, number]


def found(places: dict[str, bytes]) -> list[str]:
    """Return where a secret is, with its context."""
    return [
        f"{name} at {place}: {content[max(0, at - 40) : at + 40]!r}"
        for place, content in places.items()
        for needle, name in NEEDLES.items()
        for at in every(needle.encode(), content)
    ]


def every(needle: bytes, content: bytes) -> Iterator[int]:
    at = content.find(needle)
    while at >= 0:
        yield at
        at = content.find(needle, at + 1)


@contextmanager
def running(otelcol: Otelcol, folder: Path, *configs: str) -> Iterator[Pipeline]:
    with run_pipeline(otelcol, configs, folder, VARIABLES) as pipeline:
        for sink in (pipeline.logfire, pipeline.prometheus, pipeline.viewer):
            sink.keep_raw()
        pipeline.logfire.refuse()
        pipeline.prometheus.refuse()
        yield pipeline


def queue_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((folder / "queue").iterdir()))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("route", ROUTES)
def test_no_secret_leaves_on_any_route(
    otelcol: Otelcol, tmp_path: Path, route: str, environment: str
) -> None:
    with running(otelcol, tmp_path, environment, route, *OVERLAYS) as pipeline:
        send(pipeline.collector.endpoint, requests_of(loads()))
        pipeline.collector.send(log("the last"))
        waiting = poll_until(
            lambda: content if b"the last" in (content := queue_files(tmp_path)) else None,
            "the telemetry in the queue files",
        )
        assert b"service.instance.id" in waiting
        pipeline.logfire.accept()
        pipeline.prometheus.accept()
        everything_arrived(pipeline, route)
        places: dict[str, bytes] = {
            "the queue files": waiting,
            "Logfire": b"\n".join(pipeline.logfire.raw or []),
            "Prometheus": b"\n".join(pipeline.prometheus.raw or []),
            "the viewer": b"\n".join(pipeline.viewer.raw or []),
            "the scrape": pipeline.scrape().encode(),
            "the collector's output": pipeline.collector.output().encode(),
        }
    hits = found(places)
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_gateway_scrubs_what_agents_send(
    otelcol: Otelcol, tmp_path: Path, environment: str
) -> None:
    address = f"127.0.0.1:{free_port()}"
    configs = ("gateways/from-agents", environment, "routes/logfire-only")
    variables = {**VARIABLES, "AGENTS_LISTEN": address}
    with run_pipeline(otelcol, configs, tmp_path, variables) as pipeline:
        pipeline.logfire.keep_raw()
        send_as_agent(address, requests_of(loads()))
        count = len(loads())
        pipeline.logfire.wait_for(lambda s: len(s.spans) >= 4 * count, "every span", timeout=20)
        pipeline.logfire.wait_for(lambda s: len(s.logs) >= 3 * count, "every log", timeout=20)
        pipeline.logfire.wait_for(
            lambda s: any(point.name == "h.1002" for point in s.points), "the metrics", timeout=20
        )
        hits = found({"Logfire": b"\n".join(pipeline.logfire.raw or [])})
    assert not hits, "\n".join(hits)


def everything_arrived(pipeline: Pipeline, route: str) -> None:
    """Wait at every backend for what was sent last."""
    count = len(loads())
    for sink in (pipeline.logfire, pipeline.viewer):
        sink.wait_for(lambda s: len(s.spans) >= 4 * count, "every span", timeout=20)
        sink.wait_for(lambda s: len(s.logs) >= 3 * count + 1, "every log", timeout=20)
    metrics = pipeline.prometheus if route == "routes/hybrid" else pipeline.logfire
    metrics.wait_for(lambda s: b"1002" in b"".join(s.raw or []), "the metrics", timeout=20)
    if route == "routes/hybrid":
        pipeline.prometheus.wait_for(
            lambda s: any(name.startswith("redacted") for name in s.names), "the name of stars"
        )
    pipeline.viewer.wait_for(lambda s: any(p.name == "h.1002" for p in s.points), "the metrics")
    poll_until(lambda: "h_1002" in pipeline.scrape(), "the metrics in the scrape")
