"""The measured peak of many large producers fits into compose's container, as the docs say."""

import json

import pytest

from bench.collector.bursts import FIGURES, container
from stack.paths import ROOT

RUNS = ("plain", "gzip")


@pytest.mark.parametrize("run", RUNS)
def test_the_peak_is_below_the_containers_memory_and_stated(run: str) -> None:
    found = json.loads(FIGURES.read_text())[run]
    memory, _ = container()
    assert found["memory_mib"] == memory, "measure again: python -m bench.collector.bursts"
    assert found["peak_mib"] < memory * 0.95
    assert found["arrived"] == found["sent"]
    said = " ".join((ROOT / "docs" / "access.md").read_text().split())
    assert f"{found['peak_mib']:,} MiB" in said
    assert f"{memory:,} MiB" in said
