"""Everything listens on loopback by default: as the files and the programs say."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import yaml
from pytest_otelcol.collector import Otelcol

from app.settings import Settings
from stack.paths import COLLECTOR
from stack.pipeline.ports import LOOPBACK, Ports
from tests.support.caddy import listeners
from tests.support.pipeline import files

LISTENS = re.compile(r"(?:127\.0\.0\.1|localhost):\d+")
# Where each part listens; of the exporters only the one that is scraped listens.
PLACES = {
    "extensions/health_check",
    "receivers/otlp",
    "receivers/otlp/agents",
    "receivers/otlp/metrics_buffer",
    "receivers/otlp/self",
    "exporters/prometheus/scrape",
}

# Kafka is only in the upstream image; TLS needs a certificate. Neither changes an address.
LEFT_OUT = {"kafka-login", "tls"}


def values_of(key: str, config: Any) -> Iterator[str]:
    """Yield every value of a key that is set, however deep."""
    parts = config.items() if isinstance(config, dict) else enumerate(config)
    for name, value in parts:
        if name == key and value:
            yield value
        elif isinstance(value, dict | list):
            yield from values_of(key, value)


def resolved(otelcol: Otelcol) -> dict[str, Any]:
    """Return all files as the collector reads them with no variable set but a password."""
    chosen = ["gateways/from-agents", "environments/development", "routes/hybrid"]
    overlays = sorted(COLLECTOR.glob("overlays/*.yaml"))
    configs = files([*chosen, *(path for path in overlays if path.stem not in LEFT_OUT)])
    done = subprocess.run(
        [str(otelcol.binary), "print-config", *(f"--config=file:{path}" for path in configs)],
        env={"OTLP_TOKEN": "one"},
        capture_output=True,
        text=True,
        check=True,
    )
    config: dict[str, Any] = yaml.safe_load(done.stdout)
    return config


def test_the_collector_listens_on_loopback_by_default(otelcol: Otelcol) -> None:
    config = resolved(otelcol)
    parts = {
        f"{section}/{name}": [*values_of("endpoint", part)]
        for section in ("extensions", "receivers", "exporters")
        for name, part in config[section].items()
    }
    listening = {name: found for name, found in parts.items() if found and name in PLACES}
    assert listening.keys() == PLACES
    assert len(listening["receivers/otlp"]) == 2
    for name, found in listening.items():
        assert all(LISTENS.fullmatch(place) for place in found), (name, found)
    unknown = {name for name, found in parts.items() if found and not name.startswith("exporters/")}
    assert unknown <= PLACES
    assert {*values_of("host", config["service"])} == {"127.0.0.1"}


def test_the_guard_the_service_and_the_demo_listen_on_loopback_by_default() -> None:
    assert listeners({}) == {"127.0.0.1:4319", "127.0.0.1:4321"}
    assert Settings.model_fields["api_host"].default == "127.0.0.1"
    assert {*LOOPBACK.values()} == {"127.0.0.1", "::1"}
    assert Ports.from_environment({}).otlp_http == 4318
