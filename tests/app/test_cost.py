"""The price of telemetry, against the strategy that this project replaces."""

from bench.producers.measure import MAIN
from bench.producers.runs import Receiver, in_process

# CPU time is measured by `make bench`, with medians of several runs: at most 0.25 is promised
# there. Calls of functions say the same roughly, and are equal in every run on any machine.
LIMIT = 0.15


def test_telemetry_makes_a_fraction_of_the_original_strategys_calls() -> None:
    with Receiver("receiver") as receiver:
        bare, ours, original = (
            in_process("documents", variant, 200, receiver, {}, "calls")["calls"]
            for variant in MAIN
        )
    assert bare < ours
    assert (ours - bare) / (original - bare) <= LIMIT, (bare, ours, original)
