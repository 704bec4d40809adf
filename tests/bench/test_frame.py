"""The benchmark itself, in miniature: real feeder, real collector, real counting."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.collector.configs import Config, ladder, peer, same_jobs, shipped
from bench.collector.measure import saturated
from bench.collector.sink import count_spans
from bench.collector.spans import PER_TRACE, TRACES, Template, ids, pairs

SPANS = 4 * PER_TRACE * TRACES


@pytest.mark.parametrize(
    "config", [lambda: shipped("development"), lambda: peer("opentelemetry-demo")]
)
def test_all_spans_arrive_and_cpu_time_is_measured(config: Callable[[], Config]) -> None:
    figures = saturated(config(), SPANS)
    assert figures.spans == figures.delivered == SPANS
    assert 1 < figures.us_per_span < 2000
    assert figures.as_row()["spans_per_second"] > 0
    assert figures.rss_bytes > 10e6


def test_a_replayed_request_differs_only_in_its_trace_ids() -> None:
    pair, trace_ids = pairs(10, 1)[0], ids(7)
    first = decoded(pair.api, next(trace_ids))
    second_ids = next(trace_ids)
    second, worker = decoded(pair.api, second_ids), decoded(pair.worker, second_ids)
    assert len(second) == TRACES
    assert not first & second
    assert second == worker
    assert count_spans(bytes(pair.api.body)) == pair.api.spans == TRACES * PER_TRACE // 2


def decoded(template: Template, trace_ids: bytes) -> set[bytes]:
    request = ExportTraceServiceRequest.FromString(bytes(template.under(trace_ids)))
    groups = (scope for resource in request.resource_spans for scope in resource.scope_spans)
    return {span.trace_id for group in groups for span in group.spans}


def test_each_stage_adds_something_up_to_the_shipped_files() -> None:
    steps = list(ladder().values())
    assert steps[-1] == shipped("production")
    assert all(one != two for one, two in pairwise(steps))
    assert "storage" in same_jobs()["exporters"]["otlp_http"]["sending_queue"]
