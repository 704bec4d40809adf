"""Production's variables work; tests/sampling checks the statistics."""

import random

import pytest
from otelcol_runner.telemetry import span

from tests.support.pipeline import Pipeline, StartPipeline
from tests.support.shapes import agent, request

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


def test_errors_and_slow_requests_are_kept_and_the_rest_sampled(
    production: Pipeline,
) -> None:
    production.logfire.wait_for(lambda _: len(weights(production, SLOW)) == 1, "the slow trace")
    assert weights(production, ERROR) == [1.0, 1.0]
    assert weights(production, SLOW) == [1.0]
    assert 1.0 not in weights(production, QUEUED), "time in the queue is not a slow request"
    plain = weights(production, *PLAIN_TRACES)
    assert set(plain) == {100 / PERCENT}
    assert PLAIN * 0.12 < len(plain) < PLAIN * 0.28
