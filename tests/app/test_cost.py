"""The price of telemetry, as a ratio to the strategy that this project replaces."""

from bench.producer_runs import in_process
from bench.producers import MAIN, compare

# What is promised. `python -m bench.producers` measures it at leisure: about half of this.
LIMIT = 0.25


def test_a_request_pays_for_telemetry_at_most_a_quarter_of_what_the_original_strategy_takes() -> (
    None
):
    found = compare(in_process, "documents", MAIN, runs=1, requests=600, env={})
    assert found["bare"] < found["ours"]
    assert found["ratio"] <= LIMIT, found
