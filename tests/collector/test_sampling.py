"""Production keeps what matters, says what the rest stands for, and counts everything."""

import random

import pytest
from pytest_otelcol.telemetry import span

from tests.collector.conftest import StartPipeline
from tests.collector.pipeline import Pipeline
from tests.collector.shapes import agent, request

PERCENT = 20
PLAIN = 200
WEIGHT = "sampling.adjusted_count"
ids = random.Random(4)  # the same traces in every run, so that the same are kept
PLAIN_TRACES = [f"{ids.getrandbits(128):032x}" for _ in range(PLAIN)]
ERROR, SLOW, QUEUED = (f"{ids.getrandbits(128):032x}" for _ in range(3))


@pytest.fixture
def production(start_pipeline: StartPipeline) -> Pipeline:
    pipeline = start_pipeline(
        "environments/production",
        "routes/hybrid",
        TRACE_SAMPLE_PERCENT=str(PERCENT),
        SLOW_TRACE_MS="1000",
    )
    spans = [request(trace=trace) for trace in PLAIN_TRACES]
    spans += [request(trace=ERROR), agent("summarize", "error", trace=ERROR)]
    spans += [request(trace=SLOW, duration=1.5), request(trace=QUEUED)]
    waited = span("process tasks", kind="CONSUMER", trace=QUEUED, duration=30.0)
    pipeline.collector.send(*spans, waited)
    pipeline.logfire.wait_for_span("agent_execution")
    pipeline.prometheus.wait_for_series("agentical_requests_total", value=PLAIN + 3)
    return pipeline


def weights(pipeline: Pipeline, *traces: str) -> list[object]:
    kept = [item for item in pipeline.logfire.spans if item.trace_id in traces]
    return [item.attributes.get(WEIGHT) for item in kept]


def test_errors_and_slow_requests_are_kept_whole_and_the_rest_by_its_share(
    production: Pipeline,
) -> None:
    production.logfire.wait_for(lambda _: len(weights(production, SLOW)) == 1, "the slow trace")
    assert weights(production, ERROR) == [1.0, 1.0]
    assert weights(production, SLOW) == [1.0]
    assert 1.0 not in weights(production, QUEUED), "time in the queue is not a slow request"
    plain = weights(production, *PLAIN_TRACES)
    assert set(plain) == {100 / PERCENT}
    assert PLAIN * 0.12 < len(plain) < PLAIN * 0.28


def test_a_late_span_follows_the_decision_with_its_weight(production: Pipeline) -> None:
    kept = {item.trace_id for item in production.logfire.spans}
    sampled = next(trace for trace in PLAIN_TRACES if trace in kept)
    dropped = next(trace for trace in PLAIN_TRACES if trace not in kept)
    late = [span("late", trace=trace) for trace in (dropped, sampled, ERROR)]
    production.collector.send(*late)
    production.logfire.wait_for(
        lambda sink: sum(item.name == "late" for item in sink.spans) >= 2, "two late spans"
    )
    found = {s.trace_id: s.attributes[WEIGHT] for s in production.logfire.spans if s.name == "late"}
    assert found == {sampled: 100 / PERCENT, ERROR: 1.0}


def test_every_exemplar_of_a_sampled_pipeline_leads_to_a_kept_trace(production: Pipeline) -> None:
    name = "agentical_sampled_request_duration_seconds_bucket"
    production.prometheus.wait_for(
        lambda sink: any(item.exemplars for item in sink.series(name)), "an exemplar"
    )
    kept = {item.trace_id for item in production.logfire.spans}
    with_exemplars = production.prometheus.series()
    linked = {found["trace_id"] for item in with_exemplars for found in item.exemplars}
    assert linked
    assert linked <= kept
    assert not linked.isdisjoint(PLAIN_TRACES)
