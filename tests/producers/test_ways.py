"""The blocks of docs/producers.md have the variables with which the producers run."""

import re

import pytest

from stack.paths import ROOT
from tests.producers.producers import COMMON, GRPC, HTTP, PRODUCERS, Producer

PAGE = (ROOT / "docs" / "producers.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
FOR_PEOPLE = {"OTEL_SERVICE_NAME": "my-service", "OTEL_METRIC_EXPORT_INTERVAL": "5000"}
PLACES = {HTTP: "http://127.0.0.1:4318", GRPC: "http://127.0.0.1:4317"}
WITH_MORE = [producer for producer in PRODUCERS if producer.env]
OF_DJANGO = {"DJANGO_SETTINGS_MODULE": "mysite.settings"}


def exports(section: str) -> dict[str, str]:
    """Return the variables that a section's block sets."""
    block = "".join(re.findall(r"```bash\n(.*?)```", SECTIONS[section], re.DOTALL))
    lines = re.findall(r"^export (\w+)=(.*)$", block, re.MULTILINE)
    assert len(lines) == len(block.splitlines())
    return {name: value.strip('"') for name, value in lines}


def documented(variables: dict[str, str]) -> dict[str, str]:
    """Return variables of a run as the page has them."""
    return {
        name: OF_DJANGO.get(name, PLACES.get(value, value)) for name, value in variables.items()
    }


def test_the_block_for_all_is_what_every_producer_gets() -> None:
    assert exports("Variables for all") == documented(COMMON) | FOR_PEOPLE


@pytest.mark.parametrize(
    "producer", [each for each in PRODUCERS if each.env], ids=lambda it: it.name
)
def test_the_block_of_a_way_is_what_its_producer_gets(producer: Producer) -> None:
    assert exports(producer.section) == documented(dict(producer.env))
