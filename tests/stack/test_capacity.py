"""The command `agentical capacity` and its formulas."""

import json
import re
import tracemalloc
from math import ceil
from pathlib import Path
from secrets import token_bytes
from statistics import fmean
from typing import Any

import pytest

from bench.collector.compare import OURS
from bench.collector.spans import PER_TRACE, TRACES
from bench.figures import load
from bench.report.capacity import PAGE, asked
from stack.capacity import figures, prices
from stack.capacity.kubernetes import BYTES_PER_KEY
from stack.capacity.shipped import limits
from stack.capacity.window import window_bytes
from stack.errors import UserError
from tests.stack.conftest import Agentical


def calculate(agentical: Agentical, rate: float, *options: str) -> dict[str, Any]:
    outcome = agentical("capacity", "--json", f"--requests-per-second={rate}", *options)
    assert (outcome.code, outcome.err) == (0, "")
    found: dict[str, Any] = json.loads(outcome.out)["need"]
    return found


def test_the_table_says_what_to_buy_and_to_set(agentical: Agentical) -> None:
    small = agentical("capacity", "--requests-per-second", "50").out
    assert "at least 2, so that one may be down" in small
    assert "Set QUEUE_BYTES" not in small
    large = agentical("capacity", "--requests-per-second", "500", "--outage-hours", "8").out
    assert "Set QUEUE_BYTES=" in large
    assert prices.SOURCE in large
    assert prices.READ_ON in large


def test_cpu_and_pending_traces_require_more_gateways(agentical: Agentical) -> None:
    small = calculate(agentical, 100)
    assert (small["gateways"], small["bound"]) == (2, "one may be down")
    busy = calculate(agentical, 1000, "--spans-per-request=200")
    assert busy["bound"] == "CPU"
    assert busy["gateways"] >= 2 * busy["cores"]
    held = calculate(agentical, 10_000)  # 30 s of decision wait, half of 100,000 traces per gateway
    assert (held["gateways"], held["bound"]) == (6, "undecided traces")
    assert calculate(agentical, 10_000, "--decision-wait=5")["gateways"] < 6


def test_only_rate_and_time_dependent_figures_grow(agentical: Agentical) -> None:
    once, longer = (calculate(agentical, 100, f"--outage-hours={hours}") for hours in (1, 3))
    assert longer["queues"] == pytest.approx({q: 3 * size for q, size in once["queues"].items()})
    assert longer["memory"] == once["memory"]
    whole = calculate(agentical, 100, "--sample-percent=100")
    assert whole["queues"]["traces"] > 9 * once["queues"]["traces"]
    assert whole["queues"]["logs"] == once["queues"]["logs"]
    room = whole["window_room"] / 0.2  # the limiter leaves a fifth
    used = whole["memory"] / 0.6  # 80 % less the spike's 20
    assert whole["memory_limit"] == pytest.approx(max(room, used))


def test_the_window_grows_with_what_is_written_to_it(agentical: Agentical) -> None:
    known = figures.measured()
    short, long = (calculate(agentical, 2_000, f"--decision-wait={wait}") for wait in (15, 30))
    assert long["window"] / short["window"] == pytest.approx(35 / 20)  # the program keeps 5 s more
    spans = 2_000 * known.spans_per_request * 35
    kept = 0.01 + 0.99 * 0.10
    assert long["window"] == pytest.approx(spans * (1 + kept) * known.bytes_per_window_span)
    assert long["window_files"] == ceil(long["window"] / 0.5 / 2**24)
    assert long["window_room"] == (long["window_files"] + 2) * 2**24
    whole = calculate(agentical, 2_000, "--sample-percent=100")
    assert whole["window"] == pytest.approx(spans * 2 * known.bytes_per_window_span)
    assert "Set SAMPLING_WINDOW_FILES" in agentical("capacity", "--requests-per-second=4000").out


def test_the_window_of_the_measured_load_is_as_measured() -> None:
    rows = load()["held"][OURS]
    demand = asked(
        figures.measured(),
        limits(),
        requests_per_second=fmean(row["spans_per_second"] for row in rows) / PER_TRACE,
        spans_per_request=PER_TRACE,
        always_percent=100 * 2 / TRACES,
    )
    found = fmean(row["memory_mb"] - row["rss_mb"] for row in rows) * 1e6
    assert window_bytes(demand, figures.measured(), limits(), 1.0) == pytest.approx(found, rel=0.05)
    assert limits().decision_wait + limits().window_margin == figures.HELD_SECONDS


def test_agents_add_their_series_and_send_larger_spans(agentical: Agentical) -> None:
    known = figures.measured()
    without, ten = (calculate(agentical, 100, *more) for more in ((), ("--nodes=10",)))
    each = known.series.collector + known.series.host
    assert ten["series"] - without["series"] == 10 * each
    larger = known.queue_bytes["traces"] / known.bytes_per_window_span
    assert ten["window"] / without["window"] == pytest.approx(larger)


def test_a_span_that_the_windows_program_knows_is_not_larger_than_assumed() -> None:
    number = 100_000
    tracemalloc.start()
    known = {token_bytes(16) + token_bytes(8) for _ in range(number)}
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / len(known) < BYTES_PER_KEY


def test_the_page_has_the_patch_that_the_command_prints(agentical: Agentical) -> None:
    page = PAGE.read_text()
    (line,) = re.findall(r"^\.venv/bin/agentical (.+ --kubernetes)$", page, re.MULTILINE)
    outcome = agentical(*line.split())
    assert (outcome.code, outcome.err) == (0, "")
    assert f"```yaml\n{outcome.out}```" in page


def test_one_missing_gateway_leaves_its_share_to_the_others(agentical: Agentical) -> None:
    known = figures.measured()
    two, six = calculate(agentical, 3_000), calculate(agentical, 10_000)
    # The series of kept traces exist once per gateway; all others, except its own, once.
    alone = [one["series"] - one["gateways"] * known.series.collector for one in (two, six)]
    assert alone[1] - alone[0] == pytest.approx(2 * known.series.process_sampled * 4, abs=1)
    logs = [one["queues"]["logs"] * (one["gateways"] - 1) for one in (two, six)]
    assert logs[1] / logs[0] == pytest.approx(10_000 / 3_000)


def test_only_units_above_the_free_allowance_cost(agentical: Agentical) -> None:
    within = calculate(agentical, 1)
    assert within["units"] < prices.INCLUDED
    assert within["usd"] == 0
    above = calculate(agentical, 10)
    expected = (above["units"] - prices.INCLUDED) / 1e6 * prices.USD_PER_MILLION
    assert above["usd"] == pytest.approx(expected, abs=0.01)


def test_sampled_logs_cost_their_share_of_units_and_of_the_queue(agentical: Agentical) -> None:
    load = ("--logs-per-request=20", "--always-log-percent=5")
    whole = calculate(agentical, 10, *load)
    assert calculate(agentical, 10, *load, "--log-sample-percent=100") == whole
    tenth = calculate(agentical, 10, *load, "--log-sample-percent=10")
    share = 0.05 + 0.95 * 0.10
    assert tenth["queues"]["logs"] == pytest.approx(share * whole["queues"]["logs"])
    assert tenth["queues"]["traces"] == whole["queues"]["traces"]
    month = 30 * 86_400 * 10 * 20  # records
    assert whole["units"] - tenth["units"] == pytest.approx((1 - share) * month)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (
            "--requests-per-second=0",
            "--requests-per-second is 0: set it to a number, more than 0",
        ),
        ("--outage-hours=-1", "--outage-hours is -1: set it to a number, 0 or more"),
        ("--sample-percent=101", "--sample-percent is 101: set it to a percentage, 100 or less"),
        (
            "--log-sample-percent=101",
            "--log-sample-percent is 101: set it to a percentage, 100 or less",
        ),
        ("--nodes=0", "--nodes is 0: set it to a number, more than 0"),
        ("--json", "--json and --kubernetes print different things: choose one of them"),
        ("--utilisation=inf", "--utilisation is inf: set it to a number, more than 0"),
        ("--spans-per-request=nan", "--spans-per-request is nan: set it to a number"),
    ],
)
def test_an_invalid_figure_gives_one_sentence(agentical: Agentical, option: str, said: str) -> None:
    outcome = agentical("capacity", "--requests-per-second=10", "--kubernetes", option)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"agentical: {said}")
    assert outcome.err.count("\n") == 1


def test_missing_measurements_are_reported_with_the_command(tmp_path: Path) -> None:
    kept = tmp_path / "performance.json"
    kept.write_text("{}")
    with pytest.raises(UserError, match="measure them with `python -m bench --only capacity`"):
        figures.measured(kept)
