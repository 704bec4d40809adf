"""Every kind of producer is counted once and whole, and differs as its row of the table says."""

from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol

from tests.producers.findings import OPEN, Findings
from tests.producers.page import recorded
from tests.producers.producers import PRODUCERS, Producer
from tests.producers.run import run
from tests.producers.traffic import MISSING

each_producer = pytest.mark.parametrize("producer", PRODUCERS, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def arrived(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Findings]:
    found = run(otelcol, Path(tmp_path_factory.mktemp("producers")))
    return {one.producer.name: one for one in found}


@each_producer
def test_each_request_is_counted_once_under_its_route(
    producer: Producer, arrived: dict[str, Findings]
) -> None:
    found = arrived[producer.name]
    requests = found.counted("agentical_requests_total", "method", "endpoint", "status")
    assert requests == found.sent(statuses=True)
    durations = found.counted("agentical_request_duration_seconds_count", "method", "endpoint")
    assert durations == found.sent(statuses=False)
    (process,) = {str(span.resource["service.instance.id"]) for span in found.spans}
    counted = [one for one in found.series if one.name.startswith("agentical_request")]
    assert {one.labels.get("instance") for one in counted} == {process}


@each_producer
def test_each_request_is_one_trace_with_its_route_status_and_exception(
    producer: Producer, arrived: dict[str, Findings]
) -> None:
    found = arrived[producer.name]
    assert len(found.servers) == len(found.requests)
    for request in found.requests:
        if not request.trace_id:
            continue
        (server,) = (span for span in found.servers if span.trace_id == request.trace_id)
        route = None if request.path.startswith(MISSING) else found.endpoint(request)
        seen = (server.attributes.get("http.route"), server.attributes["http.response.status_code"])
        assert seen == (route, request.status)
        assert server.attributes["http.request.method"] == request.method
        if request.status == 500:
            assert server.status == "ERROR"
            assert found.exception(server) != "no"


@each_producer
def test_open_requests_are_counted_where_the_producer_does(
    producer: Producer, arrived: dict[str, Findings]
) -> None:
    names = {series.name for series in arrived[producer.name].series}
    assert names.isdisjoint(OPEN) or OPEN[0] in names


@pytest.mark.parametrize("name", ["logfire", "logfire-base-url"])
def test_spans_messages_and_metrics_of_the_logfire_sdk_arrive_as_it_made_them(
    name: str, arrived: dict[str, Findings]
) -> None:
    found = arrived[name]
    orders = {span.span_id for span in found.servers if span.name == "POST /orders"}
    packing = [span for span in found.spans if span.name == "packing {what}"]
    packed = [span for span in found.spans if span.name == "packed {what}"]
    assert {span.parent_span_id for span in packing} == orders
    assert {span.parent_span_id for span in packed} == {span.span_id for span in packing}
    assert [span.attributes["logfire.msg"] for span in packed] == ["packed boxes"] * 5
    counts = [series.value for series in found.series if series.name == "orders_total"]
    assert counts == [5]


@each_producer
def test_the_table_says_how_it_differs(producer: Producer, arrived: dict[str, Findings]) -> None:
    (row,) = (row for row in recorded() if row["way"] == producer.way)
    assert arrived[producer.name].row() == row


def test_the_table_has_every_producer() -> None:
    assert [row["way"] for row in recorded()] == [producer.way for producer in PRODUCERS]
