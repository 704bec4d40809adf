"""The fields that no scrubbing reaches stay empty: see docs/redaction.md."""

from collections.abc import Iterator

from otelcol_runner.views import Log, Point, Span, Value
from pytest_otelcol.sinks import OtlpSink

from tests.app.test_telemetry import whole_trace
from tests.support.service import Service


def leaves(value: Value) -> Iterator[Value]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def test_the_services_leave_unscrubbed_fields_empty(service: Service, sink: OtlpSink) -> None:
    service.client.put("/documents/d2", json={"text": "Telemetry matters."})
    whole_trace(sink, service.run("summarize_document", "d2")["task_id"], "SELECT")
    service.run("summarize_document", "none-such")
    sink.wait_for(lambda s: s.signals == {"traces", "logs", "metrics"}, "every signal")
    assert [link for span in sink.spans for link in span.links if link.attributes] == []
    assert [point for point in sink.points if point.exemplars] == []
    items: list[Span | Log | Point] = [*sink.spans, *sink.logs, *sink.points]
    maps = [found for item in items for found in (item.attributes, item.resource)]
    maps += [event.attributes for span in sink.spans for event in span.events]
    values = [value for found in maps for value in leaves(dict(found))]
    assert len(values) > 100
    assert [value for value in values if isinstance(value, bytes)] == []
    assert [log for log in sink.logs if isinstance(log.body, bytes)] == []
