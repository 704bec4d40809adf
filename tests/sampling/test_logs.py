"""Sampled logs: 20,000 traces' records through production's pipeline."""

import math
import random
from collections.abc import Iterator
from statistics import NormalDist

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from otelcol_runner.polling import poll_until
from otelcol_runner.sender import Telemetry
from otelcol_runner.telemetry import log, span
from pytest_otelcol.collector import Otelcol

from tests.sampling.conftest import WEIGHT, Production, run

TRACE_PERCENT, LOG_PERCENT = 10, 25
WITH_SPANS = 4_000
draw = random.Random(29)  # the same traces in every run, so that the same are kept
TRACES = [f"{draw.getrandbits(128):032x}" for _ in range(20_000)]
COUNTED = [f"{number:032x}" for number in range(1, 2_001)]  # as a client that is not random
UNNUMBERED = ("ERROR", "Warning", "critical", "FATAL")  # texts of records without a number


def unnumbered(text: str) -> LogRecord:
    """Return a record without a severity number, of a trace."""
    record = log(f"unnumbered {text}", severity="INFO", trace=draw.choice(TRACES))
    record.ClearField("severity_number")
    record.severity_text = text
    return record


def records() -> list[Telemetry]:
    """Return each trace's record, a second one and a span of some, and those that always stay."""
    of_spans = TRACES[:WITH_SPANS]
    return [
        *(log("accepted", trace=trace) for trace in TRACES),
        *(log("detail", severity="DEBUG", trace=trace) for trace in of_spans),
        *(span("work", trace=trace) for trace in of_spans),
        *(log("counted", trace=trace) for trace in COUNTED),
        *(log("retried", severity="WARN", trace=trace) for trace in TRACES[:300]),
        *(log("failed", severity="ERROR", trace=trace) for trace in TRACES[:300]),
        *(log("traceless") for _ in range(300)),
        *(unnumbered(text) for text in UNNUMBERED for _ in range(25)),
        *(unnumbered("") for _ in range(400)),
    ]


@pytest.fixture(scope="module")
def sampled(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    variables = {
        "TRACE_DECISION_WAIT": "1s",
        "TRACE_SAMPLE_PERCENT": str(TRACE_PERCENT),
        "LOG_SAMPLE_PERCENT": str(LOG_PERCENT),
    }
    with run(otelcol, tmp_path_factory.mktemp("logs"), **variables) as running:
        load = records()
        for start in range(0, len(load), 4_000):
            running.collector.send(*load[start : start + 4_000], resource={"service.name": "api"})
        poll_until(lambda: stored(running), "all decided, and what was kept stored", timeout=60)
        yield running


def stored(running: Production) -> bool:
    """Tell whether all spans are decided and all that was kept is in Logfire."""
    metrics = running.self_metrics
    name = "processor_tail_sampling_global_count_traces_sampled"
    kept = metrics.total(name, sampled="true")
    kept += metrics.total("processor_outgoing_items", processor="filter/sampled_out")
    (row,) = running.logfire.query("SELECT COUNT(*) AS records FROM records")
    return metrics.total(name) == WITH_SPANS and row["records"] == kept


def traces(running: Production, message: str) -> set[str]:
    """Return the traces that a span or record of this name is stored of."""
    rows = running.logfire.query(f"SELECT trace_id FROM records WHERE message = '{message}'")
    return {row["trace_id"] for row in rows}


def expected(count: int, percent: int = LOG_PERCENT) -> object:
    """Return what a random share of `count` is, within what one run in 1,000 exceeds."""
    share = percent / 100
    bound = NormalDist().inv_cdf(0.9995) * math.sqrt(count * share * (1 - share))
    return pytest.approx(count * share, abs=bound)


def test_a_traces_logs_stay_together_and_with_a_trace_that_the_baseline_keeps(
    sampled: Production,
) -> None:
    accepted, detail, kept = (traces(sampled, name) for name in ("accepted", "detail", "work"))
    assert len(accepted) == expected(len(TRACES))
    assert detail == accepted & set(TRACES[:WITH_SPANS])
    assert len(kept) == expected(WITH_SPANS, TRACE_PERCENT)
    assert kept < detail, "logs of a kept trace are missing"


def test_consecutive_trace_ids_are_sampled_like_random_ones(sampled: Production) -> None:
    assert len(traces(sampled, "counted")) == expected(len(COUNTED))


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        *(("retried", 300), ("failed", 300), ("traceless", 300)),
        *((f"unnumbered {text}", 25) for text in UNNUMBERED),
    ],
)
def test_warnings_and_records_without_a_trace_always_stay(
    sampled: Production, message: str, sent: int
) -> None:
    sql = f"SELECT COUNT(*) AS n, MAX({WEIGHT}) AS most FROM records WHERE message = '{message}'"
    assert sampled.logfire.query(sql) == [{"n": sent, "most": 1.0}]


def test_weights_give_the_number_of_records_that_were_sent(sampled: Production) -> None:
    sql = f"SELECT message, SUM({WEIGHT}) AS n FROM records WHERE kind = 'log' GROUP BY message"
    counts = {row["message"]: row["n"] for row in sampled.logfire.query(sql)}
    assert counts["accepted"] == pytest.approx(len(TRACES), rel=0.03)
    assert sum(counts.values()) == pytest.approx(
        sum(isinstance(record, LogRecord) for record in records()), rel=0.03
    )
