"""The name table of the Prometheus series, made from telemetry as the services send it."""

import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import gauge, span, trace_id
from pytest_otelcol.remote_write import RemoteWriteSink

from tests.support.pipeline import Pipeline, StartPipeline
from tests.support.shapes import RESOURCE, agent, gauges, query, redis, request

ALWAYS = {"job": "agentical-api", "instance": "api-1"}
NUMBERS = {
    "agentical_requests_total": {"method", "endpoint", "status"},
    "agentical_active_connections": set(),
    "agentical_database_connections": {"pool_name", "status"},
    "agentical_database_connections_max": {"pool_name"},
    "agentical_database_connection_failures_total": {"pool_name"},
    "agentical_redis_operations_total": {"operation", "status"},
    "agentical_agent_tasks_total": {"task_type", "status"},
    "agentical_queue_depth": {"queue"},
}
HISTOGRAMS = {
    "agentical_request_duration_seconds": {"method", "endpoint"},
    "agentical_sampled_request_duration_seconds": {"method", "endpoint"},
    "agentical_database_query_duration_seconds": {"operation"},
    "agentical_agent_task_duration_seconds": {"task_type"},
}
NAME_TABLE: dict[str, set[str]] = NUMBERS | {
    f"{name}_{part}": labels | ({"le"} if part == "bucket" else set())
    for name, labels in HISTOGRAMS.items()
    for part in ("bucket", "count", "sum")
}
# One series of each name: its labels and its value after what `table` sends.
EXAMPLES: dict[str, tuple[dict[str, str], float]] = {
    "agentical_requests_total": (
        {"method": "POST", "endpoint": "/agents/{agent_id}/tasks", "status": "202"},
        2,
    ),
    "agentical_request_duration_seconds_count": (
        {"method": "POST", "endpoint": "/agents/{agent_id}/tasks"},
        3,
    ),
    "agentical_sampled_request_duration_seconds_count": (
        {"method": "POST", "endpoint": "/agents/{agent_id}/tasks"},
        3,
    ),
    "agentical_active_connections": ({}, 5),
    "agentical_database_connections": ({"pool_name": "agentical", "status": "idle"}, 3),
    "agentical_database_connections_max": ({"pool_name": "agentical"}, 10),
    "agentical_database_connection_failures_total": ({"pool_name": "agentical"}, 4),
    "agentical_redis_operations_total": ({"operation": "XADD XLEN", "status": "success"}, 2),
    "agentical_database_query_duration_seconds_sum": ({"operation": "INSERT"}, 0.006),
    "agentical_agent_tasks_total": ({"task_type": "summarize", "status": "error"}, 1),
    "agentical_agent_task_duration_seconds_count": ({"task_type": "summarize"}, 2),
    "agentical_queue_depth": ({"queue": "tasks"}, 7),
}


@pytest.fixture(scope="module")
def table(pipeline: Pipeline) -> RemoteWriteSink:
    """The metrics backend after everything the services send has arrived once."""
    tasks = [agent("summarize", "success"), agent("summarize", "error")]
    requests = [request(), request(), request(code=422)]
    clients = [query(), query(), redis(), redis(), redis(status="ERROR")]
    pipeline.collector.send(*requests, *clients, *tasks, *gauges(), resource=RESOURCE)
    pipeline.prometheus.wait_for(lambda sink: sink.names >= set(NAME_TABLE), "the whole name table")
    expected = {name: [value] for name, (_, value) in EXAMPLES.items()}
    pipeline.prometheus.wait_for(  # each connector flushes at its own time
        lambda sink: {name: values(sink, name, EXAMPLES[name][0]) for name in EXAMPLES} == expected,
        "the value of each example",
    )
    return pipeline.prometheus


def values(sink: RemoteWriteSink, name: str, labels: dict[str, str]) -> list[float]:
    """Return the values of the service's series with these labels."""
    return [round(item.value, 6) for item in sink.series(name, ALWAYS | labels)]


def test_every_series_of_the_name_table_has_exactly_its_labels(table: RemoteWriteSink) -> None:
    of_service = table.series(labels=ALWAYS)
    labels = {(item.name, frozenset(item.labels)) for item in of_service}
    assert {
        name: set(found) - ALWAYS.keys() for name, found in labels if name != "target_info"
    } == (NAME_TABLE)
    assert len(labels - {item for item in labels if item[0] == "target_info"}) == len(NAME_TABLE)


def test_each_series_counts_what_was_sent(table: RemoteWriteSink) -> None:
    found = {name: values(table, name, labels) for name, (labels, _) in EXAMPLES.items()}
    assert found == {name: [value] for name, (_, value) in EXAMPLES.items()}


def test_only_documented_series_start_with_agentical_and_none_has_a_scope(
    table: RemoteWriteSink,
) -> None:
    assert {name for name in table.names if name.startswith("agentical_")} == set(NAME_TABLE)
    assert not {name for name in table.names if name.startswith(("spans_", "sampled_"))}
    for item in table.series():
        assert {"job", "instance"} <= item.labels.keys(), item
        assert not [label for label in item.labels if label.startswith("otel_scope")], item


def requests_of(pipeline: Pipeline, job: str) -> dict[tuple[str, str, str], float]:
    found = pipeline.prometheus.series("agentical_requests_total", {"job": job})
    return {
        (item.labels["method"], item.labels["endpoint"], item.labels["status"]): item.value
        for item in found
    }


def test_unknown_routes_and_methods_share_one_label_value(pipeline: Pipeline) -> None:
    odd = [request("GET", None, 404, attributes={"url.path": f"/wp-{n}.php"}) for n in range(3)]
    odd += [request(f"X{n}", "/health", 405) for n in range(3)]
    pipeline.collector.send(*odd, resource={"service.name": "odd"})
    expected = {("GET", "unmatched", "404"): 3.0, ("_OTHER", "/health", "405"): 3.0}
    pipeline.prometheus.wait_for(lambda _: requests_of(pipeline, "odd") == expected, "one value")


def test_a_requests_own_status_and_task_type_do_not_become_labels(pipeline: Pipeline) -> None:
    strange = [request(attributes={"status": n, "task_type": n}) for n in "ab"]
    pipeline.collector.send(*strange, resource={"service.name": "strange"})
    expected = {("POST", "/agents/{agent_id}/tasks", "202"): 2.0}
    pipeline.prometheus.wait_for(
        lambda _: requests_of(pipeline, "strange") == expected, "both requests in one series"
    )


def test_a_request_without_an_answer_is_counted_with_the_status_none(pipeline: Pipeline) -> None:
    pipeline.collector.send(request(code=None), resource={"service.name": "gone"})
    expected = {("POST", "/agents/{agent_id}/tasks", "none"): 1.0}
    pipeline.prometheus.wait_for(lambda _: requests_of(pipeline, "gone") == expected, "status none")


def test_a_status_that_is_a_text_is_counted_and_only_a_number_is_converted(
    pipeline: Pipeline,
) -> None:
    texts = [request(attributes={"http.response.status_code": code}) for code in ("202", "gone")]
    pipeline.collector.send(*texts, resource={"service.name": "texts"})
    route = "/agents/{agent_id}/tasks"
    expected = {("POST", route, "202"): 1.0, ("POST", route, "gone"): 1.0}
    pipeline.prometheus.wait_for(lambda _: requests_of(pipeline, "texts") == expected, "both")
    assert not [line for line in pipeline.collector.warnings() if "failed to execute" in line]


def test_the_older_semantic_conventions_give_the_same_series(pipeline: Pipeline) -> None:
    server = {"http.method": "GET", "http.route": "/old", "http.status_code": 200}
    older = [
        span("GET /old", server, kind="SERVER"),
        span("SELECT", {"db.system": "postgresql"}, kind="CLIENT"),
        span("GET", {"db.system": "redis"}, kind="CLIENT"),
    ]
    pipeline.collector.send(*older, resource={"service.name": "older"})
    expected = {("GET", "/old", "200"): 1.0}
    pipeline.prometheus.wait_for(lambda _: requests_of(pipeline, "older") == expected, "one GET")
    for name, labels in {
        "agentical_request_duration_seconds_count": {"method": "GET", "endpoint": "/old"},
        "agentical_sampled_request_duration_seconds_count": {"method": "GET", "endpoint": "/old"},
        "agentical_database_query_duration_seconds_count": {"operation": "SELECT"},
        "agentical_redis_operations_total": {"operation": "GET", "status": "success"},
    }.items():
        pipeline.prometheus.wait_for_series(name, {"job": "older"} | labels, value=1)


def test_other_spans_with_the_same_attributes_are_no_requests_queries_or_tasks(
    pipeline: Pipeline,
) -> None:
    attributes = {"http.request.method": "GET", "http.route": "/x", "task_type": "t", "status": "s"}
    others = [
        span("GET", attributes, kind="CLIENT"),
        span("grpc.Method/Call", {"rpc.system": "grpc"}, kind="SERVER"),
        span("agent_execution", attributes, kind="CONSUMER"),
        span("cache", {"db.system.name": "redis"}, kind="INTERNAL"),
    ]
    resource = {"service.name": "others", "service.instance.id": "1"}
    pipeline.collector.send(*others, gauge("done", 1), request(), resource=resource)
    pipeline.prometheus.wait_for_series("agentical_requests_total", {"job": "others"}, value=1)
    names = {item.name for item in pipeline.prometheus.series(labels={"job": "others"})}
    of_requests = {name for name in NAME_TABLE if "request" in name}
    assert names - {"done_ratio", "done"} == of_requests


def test_exemplars_lead_to_traces_that_are_stored(pipeline: Pipeline) -> None:
    traces = {trace_id() for _ in range(3)}
    spans = [request("PUT", "/exemplars", 200, trace=trace) for trace in traces]
    pipeline.collector.send(*spans, resource={"service.name": "exemplars"})
    name = "agentical_sampled_request_duration_seconds_bucket"

    def exemplars() -> set[str]:
        found = pipeline.prometheus.series(name, {"job": "exemplars"})
        return {exemplar["trace_id"] for item in found for exemplar in item.exemplars}

    found = poll_until(exemplars, "an exemplar", seen=pipeline.prometheus.describe)
    assert found <= traces
    pipeline.logfire.wait_for(
        lambda sink: found <= {item.trace_id for item in sink.spans}, "the traces of exemplars"
    )


def test_scraping_gives_the_same_names_and_labels_as_remote_write(
    start_pipeline: StartPipeline,
) -> None:
    both = start_pipeline("environments/development", "routes/hybrid", "overlays/also-scrape")
    both.collector.send(request(), query(), redis(), agent("t", "success"), *gauges())
    both.prometheus.wait_for(lambda sink: sink.names >= set(NAME_TABLE), "the whole name table")
    lines = {line for line in both.scrape().splitlines() if line.startswith("agentical_")}
    names = {line.split("{")[0] for line in lines}
    assert {name for name in names if not name.endswith("_created")} == set(NAME_TABLE)
    assert all('job="test-service"' in line and "otel_scope" not in line for line in lines)


def test_a_scrape_carries_exemplars(start_pipeline: StartPipeline) -> None:
    both = start_pipeline("environments/development", "routes/hybrid", "overlays/also-scrape")

    def exemplar_of_a_new_request() -> bool:
        both.collector.send(request())
        return '# {span_id="' in both.scrape() and 'trace_id="' in both.scrape()

    poll_until(exemplar_of_a_new_request, "an exemplar at the scrape endpoint", seen=both.scrape)
