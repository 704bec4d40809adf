"""Unbiased sampling: 20,000 traces through production's pipeline."""

import math
import re
from statistics import NormalDist
from string import Template

import httpx
import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import span

from alerts import boards, queries
from alerts.model import matrix
from stack.paths import ROOT
from tests.alerts.logfire.cases import with_threshold
from tests.sampling.conftest import WEIGHT, Production
from tests.sampling.load import SLOW_MS, SPANS_EACH, TRACES

SQL = (ROOT / "logfire/queries/requests.sql").read_text()
PERCENT = 10  # TRACE_SAMPLE_PERCENT's default


@pytest.mark.parametrize("fate", ["refused", "failed", "slow"])
def test_errors_and_slow_traces_are_kept_with_weight_one(production: Production, fate: str) -> None:
    sent = {trace.trace_id for trace in production.sent if trace.fate == fate}
    assert len(sent) > TRACES / 200
    assert production.kept_of(fate) == dict.fromkeys(sent, (SPANS_EACH, 1.0, 1.0))


def test_the_rest_is_sampled_by_trace_with_its_weight(production: Production) -> None:
    plain = sum(trace.fate == "plain" for trace in production.sent)
    kept = production.kept_of("plain")
    assert set(kept.values()) == {(SPANS_EACH, 100 / PERCENT, 100 / PERCENT)}
    share = PERCENT / 100
    bound = NormalDist().inv_cdf(0.9995) * math.sqrt(plain * share * (1 - share))
    assert len(kept) == pytest.approx(plain * share, abs=bound)


def test_only_weighted_sql_matches_prometheus(
    production: Production,
) -> None:
    exact = {
        "requests": production.number("sum(agentical_requests_total)"),
        "error_rate": production.number(
            'sum(agentical_requests_total{status=~"5.."}) / sum(agentical_requests_total)'
        ),
        "p95": production.number(
            "histogram_quantile(0.95, sum by (le) (agentical_request_duration_seconds_bucket))"
        ),
    }
    (weighted,) = production.logfire.query(SQL)
    # A sample of 10 % estimates the count to 2 % (one standard deviation); the sample is fixed.
    assert weighted["requests"] == pytest.approx(exact["requests"], rel=0.03)
    assert weighted["error_rate"] == pytest.approx(exact["error_rate"], rel=0.03)
    assert weighted["p95"] == pytest.approx(exact["p95"], rel=0.05)

    unweighted, replaced = re.subn(r"COALESCE\(.*\)(?= AS adjusted_count)", "1.0", SQL)
    assert replaced == 1
    (biased,) = production.logfire.query(unweighted)
    assert biased["requests"] < exact["requests"] / 5
    assert biased["error_rate"] > exact["error_rate"] * 5
    assert biased["p95"] > exact["p95"] * 3


@pytest.mark.parametrize(
    ("query", "counts", "share", "fate"),
    [
        ("requests_by_route", "requests", "error_rate", "refused"),
        ("requests_over_time", "requests", None, ""),
        ("errors_over_time", None, "error_rate", "refused"),
        ("tasks_by_agent", "tasks", "success_rate", "failed"),
        ("tasks_over_time", "tasks", None, ""),
        ("task_completion", "completed", "success_rate", "failed"),
    ],
)
def test_saved_queries_estimate_totals_and_failure_rates(
    production: Production, query: str, counts: str | None, share: str | None, fate: str
) -> None:
    sql = Template(boards.statement(query)).substitute(resolution="'1000 days'")
    rows = production.logfire.query(sql)
    if counts is not None:
        assert sum(row[counts] for row in rows) == pytest.approx(TRACES, rel=0.03)
    if share is not None:
        (row,) = rows
        failed = sum(trace.fate == fate for trace in production.sent) / TRACES
        seen = row[share] if share == "error_rate" else 1 - row[share]
        assert seen == pytest.approx(failed, rel=0.03)


def test_latency_quantiles_match_the_whole_load(production: Production) -> None:
    sql = Template(boards.statement("latency_over_time")).substitute(resolution="'1000 days'")
    (row,) = production.logfire.query(sql)
    durations = sorted(trace.seconds for trace in production.sent)
    assert row["p95"] == pytest.approx(durations[int(0.95 * TRACES)], rel=0.05)


@pytest.mark.parametrize(
    ("name", "threshold", "column", "fate"),
    [
        ("ApplicationErrorRateHigh", 0, "error_rate", "refused"),
        ("ApplicationLatencyHigh", SLOW_MS / 1000, "slow_share", "slow"),
        ("AgentTaskFailureRateHigh", 0, "failure_rate", "failed"),
    ],
)
def test_alerts_see_the_true_failure_rate(
    production: Production, name: str, threshold: float, column: str, fate: str
) -> None:
    (alert,) = (each for each in matrix().alerts if each.name == name)
    (row,) = production.logfire.query(queries.sql(with_threshold(alert, threshold)))
    sent = sum(trace.fate == fate for trace in production.sent) / TRACES
    assert row[column] == pytest.approx(sent, rel=0.03)


def test_late_spans_follow_the_decision_and_carry_its_weight(production: Production) -> None:
    kept = production.kept
    followed = [
        t for fate in ("plain", "failed", "slow") for t in list(production.kept_of(fate))[:100]
    ]
    expected = {trace_id: kept[trace_id][1] for trace_id in followed}
    dropped = [trace.trace_id for trace in production.sent if trace.trace_id not in kept][:100]
    late = [span("late", trace=trace_id) for trace_id in (*dropped, *expected)]
    production.send("agentical-worker", late)

    sql = f"SELECT trace_id, {WEIGHT} AS weight FROM records WHERE span_name = 'late'"
    poll_until(
        lambda: len(production.logfire.query(sql)) >= len(expected), "the late spans", timeout=30
    )
    found = {row["trace_id"]: row["weight"] for row in production.logfire.query(sql)}
    assert found == expected


def test_every_exemplar_leads_to_a_stored_trace(production: Production) -> None:
    query = "agentical_sampled_request_duration_seconds_bucket"

    def exemplars() -> set[str]:
        answer = httpx.get(
            f"{production.prometheus.url}/api/v1/query_exemplars",
            params={"query": query, "start": 0, "end": 4_000_000_000},
        )
        series = answer.raise_for_status().json()["data"]
        return {one["labels"]["trace_id"] for part in series for one in part["exemplars"]}

    linked = poll_until(exemplars, "an exemplar")
    assert linked <= production.kept.keys()
