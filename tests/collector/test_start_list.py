"""The start's list of files exists once; copies that are needed elsewhere equal it."""

import re

import pytest
import yaml

from stack.paths import COLLECTOR, ROOT
from stack.pipeline.configs import BACKENDS, STAGES, Config, standalone, started_on
from stack.services.collector import FEATURE_GATES

MERGED = "--config=file:/var/lib/otelcol/overlays/merged.yaml"


def arguments(folder: str, configs: list[Config]) -> list[str]:
    return [FEATURE_GATES, *(f"--config={folder}{config}.yaml" for config in configs)]


def test_compose_starts_the_collector_on_the_list() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    chosen = standalone("${ENVIRONMENT:-development}", "${ROUTE:-hybrid}")
    window = "window/${SAMPLING_WINDOW:-${ENVIRONMENT:-development}}"
    chosen.insert(chosen.index("environments/${ENVIRONMENT:-development}") + 1, window)
    expected = [*arguments("file:/etc/otelcol/", chosen), MERGED]
    assert services["collector"]["command"] == expected


def test_the_documentation_shows_the_list() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    (block,) = re.findall(r"```\n(otelcol-contrib .*?)```", page, re.S)
    shown = block.replace("\\\n", "").split()[1:]
    assert shown == arguments("collector/", standalone("production", "hybrid", (), ["host"]))


@pytest.mark.parametrize("room", ["agents", "routes"])
def test_only_routes_to_the_backends_load_the_backend_files(room: str) -> None:
    for path in (COLLECTOR / room).glob("*.yaml"):
        chosen = f"{room}/{path.stem}"
        backends = BACKENDS if room == "routes" else ()
        assert started_on(chosen) == [*STAGES, *backends, chosen]
