"""The service uses plain OpenTelemetry: the collector's YAML decides where telemetry goes."""

import re
from pathlib import Path

from stack.paths import ROOT

VENDORS = re.compile(r"logfire|pydantic\.dev|prometheus|grafana|loki|tempo|datadog", re.IGNORECASE)
MODULES = sorted((ROOT / "app").rglob("*.py"))


def mentions(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [f"{path.name}:{n} {line}" for n, line in enumerate(lines, 1) if VENDORS.search(line)]


def test_no_module_of_the_service_names_a_vendor() -> None:
    assert len(MODULES) > 10
    assert [line for path in MODULES for line in mentions(path)] == []
