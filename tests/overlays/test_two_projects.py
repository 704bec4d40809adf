"""Two teams, two Logfire projects, one collector: overlays/two-projects.yaml."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from otelcol_runner.ports import free_port
from otelcol_runner.telemetry import log, span, trace_id
from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.recorder import Request
from pytest_otelcol.sinks import OtlpSink

from stack.services.guard import Guard
from stack.services.guard import variables as guard_variables
from tests.support.pipeline import TOKEN, StartPipeline, run_pipeline

SECOND = "token-of-the-second-project"
TEAMS = {"SECOND_NAMESPACE": "team-b", "LOGFIRE_TOKEN_SECOND": SECOND}
# The project of each namespace: only the exact name of the second team's goes to the second.
NAMESPACES = {"team-a": "first", "": "first", "team-b2": "first", "Team-B": "first"}
SERVED = {"http.request.method": "GET", "http.route": "/", "http.response.status_code": 500}
ANSWERS = "otelcol_exporter_http_request_duration_seconds_count"


def send_as(collector: Collector, namespace: str | None, name: str, trace: str = "") -> None:
    """Send a span and a log of a service in this namespace; `None` for no namespace."""
    resource = {"service.name": "api"} | (
        {} if namespace is None else {"service.namespace": namespace}
    )
    served = span(name, SERVED, kind="SERVER", trace=trace or trace_id(), status="ERROR")
    collector.send(served, log(name), resource=resource)


def names(sink: OtlpSink) -> tuple[set[str], set[str]]:
    """Return the names of the spans and the bodies of the logs that arrived."""
    return {item.name for item in sink.spans}, {str(item.body) for item in sink.logs}


def tokens(requests: Iterable[Request]) -> set[str]:
    """Return the authorization headers."""
    return {request.headers.get("authorization", "") for request in requests}


def answered(status: int, port: int) -> dict[str, str]:
    """Return the labels of the answers of one kind at one port."""
    return {"http_response_status_code": str(status), "server_port": str(port)}


@pytest.mark.parametrize("environment", ["development", "production"])
def test_each_teams_telemetry_reaches_only_its_own_project(
    start_pipeline: StartPipeline, otlp_sink: OtlpSink, environment: str
) -> None:
    configs = (f"environments/{environment}", "routes/hybrid", "overlays/two-projects")
    pipeline = start_pipeline(*configs, LOGFIRE_ENDPOINT_SECOND=otlp_sink.url, **TEAMS)
    shared = trace_id()  # a request through services of both teams
    for namespace in (*NAMESPACES, None):
        send_as(pipeline.collector, namespace, f"of {namespace}", shared)
    send_as(pipeline.collector, "team-b", "of team-b", shared)

    firsts = {f"of {namespace}" for namespace in (*NAMESPACES, None)}
    pipeline.logfire.wait_for(lambda sink: names(sink) == (firsts, firsts), "the first team's")
    otlp_sink.wait_for(lambda sink: names(sink) == ({"of team-b"}, {"of team-b"}), "the second's")
    assert names(pipeline.logfire) == (firsts, firsts)
    assert tokens(pipeline.logfire.requests) == {f"Bearer {TOKEN}"}
    assert tokens(otlp_sink.requests) == {f"Bearer {SECOND}"}
    pipeline.prometheus.wait_for_series("agentical_requests_total", {"job": "team-b/api"})
    link = otlp_sink.spans[0].resource["dashboard.url"]
    assert str(link).endswith("/d/agentical-application?var-job=team-b/api")


def test_a_refused_token_holds_back_only_its_own_project(
    otelcol: Otelcol, tmp_path: Path, otlp_sink: OtlpSink
) -> None:
    ports = [free_port(), free_port()]
    listen = "{} :{}".format(*ports)
    backends = guard_variables(otlp_sink.url, otlp_sink.url)
    settings = {**backends, "GUARD_LISTEN": listen, "GUARD_RETRY_AFTER": "1"}
    first, second = (f"http://127.0.0.1:{port}" for port in ports)
    variables = {**TEAMS, "LOGFIRE_ENDPOINT": first, "LOGFIRE_ENDPOINT_SECOND": second}
    variables["SELF_METRICS_INTERVAL_MS"] = "300"
    configs = ("environments/development", "routes/hybrid", "overlays/two-projects")
    with (
        Guard(ports[0], free_port(), settings),
        run_pipeline(otelcol, configs, tmp_path, variables) as pipeline,
    ):
        otlp_sink.refuse(401, unless={"authorization": f"Bearer {TOKEN}"})
        send_as(pipeline.collector, "team-b", "held")
        pipeline.prometheus.wait_for_series(ANSWERS, answered(502, ports[1]))
        send_as(pipeline.collector, "team-a", "not held")
        otlp_sink.wait_for(lambda sink: names(sink) == ({"not held"},) * 2, "the first team's")
        pipeline.prometheus.wait_for_series(ANSWERS, answered(200, ports[0]))
        assert not pipeline.prometheus.series(ANSWERS, answered(502, ports[0]))

        pipeline.collector.kill()
        otlp_sink.accept()
        pipeline.collector.start()
        otlp_sink.wait_for(lambda sink: names(sink) == ({"held", "not held"},) * 2, "all")
