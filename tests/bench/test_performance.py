"""The page of costs: generated from the stored figures, each target met."""

from copy import deepcopy
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.collector.compare import OURS
from bench.figures import load
from bench.report.performance import PLOT, page
from bench.report.targets import targets


@pytest.fixture
def figures() -> dict[str, Any]:
    return load()


def missed(figures: dict[str, Any]) -> list[str]:
    return [f"{item.measure}: {item.value:.2f}" for item in targets(figures) if not item.met]


def test_the_page_shows_its_plot(figures: dict[str, Any]) -> None:
    assert f"({PLOT.name})" in page(figures)
    assert ElementTree.parse(PLOT).getroot().tag.endswith("svg")


def test_figures_of_another_run_are_marked(figures: dict[str, Any]) -> None:
    assert "from a separate, later run" in page(figures | {"alone": ["stages"]})
    assert "from a separate, later run" not in page(figures | {"alone": []})


def test_every_target_is_met(figures: dict[str, Any]) -> None:
    assert missed(figures) == []


@pytest.mark.parametrize(
    ("part", "name", "field", "factor", "measure"),
    [
        ("saturated", OURS, "us_per_span", 2.0, "collector CPU per span, saturated"),
        ("held", OURS, "us_per_span", 3.0, "collector CPU per span, 10,000 spans/s"),
        ("held", OURS, "memory_mb", 1.5, "memory, 10,000 spans/s"),
        ("saturated", "development", "us_per_span", 2.0, "queues on disk, development"),
        ("load", "8x", "us_per_span", 2.0, "8 times the load"),
    ],
)
def test_a_higher_cost_misses_its_target(
    figures: dict[str, Any], part: str, name: str, field: str, factor: float, measure: str
) -> None:
    worse = deepcopy(figures)
    for row in worse[part][name]:
        row[field] *= factor
    assert any(measure in missing for missing in missed(worse))
    assert "**missed**" in page(worse)
