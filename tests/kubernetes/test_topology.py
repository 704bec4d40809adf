"""Agents and a gateway as processes, on the files and variables of the manifests."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from otelcol_runner.telemetry import log, trace_id
from pytest_otelcol.collector import Otelcol

from stack.paths import PROMETHEUS
from tests.kubernetes.rendering import OVERLAYS, Pod
from tests.kubernetes.running import Cluster, cluster, files
from tests.support.promtool import promtool
from tests.support.shapes import RESOURCE, kubernetes, request

FIRING = {
    "alertname": "PodRestarting",
    "alertstate": "firing",
    "severity": "critical",
    "pillar": "kubernetes",
}


@pytest.fixture(scope="module")
def local(otelcol: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(otelcol, "local", tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", ["gateway", "cluster"])
def test_the_collector_accepts_the_rendered_configuration(
    otelcol: Otelcol, overlay: str, name: str
) -> None:
    """The agents' other configurations are tested in distribution/."""
    pod = Pod(overlay, name)
    given = pod.environment("collector", optional=False)
    assert otelcol.validate(files(pod), given) == ""


def test_a_trace_over_two_nodes_is_complete_and_each_count_has_one_writer(
    local: Cluster,
) -> None:
    trace = trace_id()
    for number, agent in enumerate(local.agents):
        resource = {**RESOURCE, "service.instance.id": f"api-{number}"}
        agent.send(request(trace=trace), log(f"from {number}"), resource=resource)
    for number in range(2):
        local.logfire.wait_for_log(f"from {number}")
        where = {"job": "agentical-api", "instance": f"api-{number}"}
        counted = local.prometheus.wait_for_series("agentical_requests_total", where, value=1)
        assert set(counted.labels) == {"job", "instance", "method", "endpoint", "status"}
        assert len(local.prometheus.series("agentical_requests_total", where)) == 1
    spans = local.logfire.wait_for(lambda sink: sink.spans if len(sink.spans) == 2 else None, "two")
    assert {span.trace_id for span in spans} == {trace}


def test_only_gateways_send_exemplars(local: Cluster) -> None:
    local.agents[0].send(request(route="/kept"), resource=RESOURCE)
    name, where = "agentical_sampled_request_duration_seconds_count", {"endpoint": "/kept"}
    found = local.prometheus.wait_for_series(name, where)
    assert found.labels["gateway"] == "gateway-0"
    assert {series.labels.get("gateway") for series in local.prometheus.series(name)} == {
        "gateway-0"
    }
    assert not [n for n in local.prometheus.names if n.startswith(("spans_", "sampled_"))]


def test_the_probes_of_the_kubelets_are_in_no_rate_and_no_trace(local: Cluster) -> None:
    agent = local.agents[0]
    probe = {"url.path": "/health", "http.route": "/health"}
    resource = {**RESOURCE, "service.instance.id": "probed"}
    agent.send(request("GET", "/health", 200, attributes=probe), resource=resource)
    agent.send(request("GET", "/health", 503, attributes=probe), resource=resource)
    agent.send(request("GET", "/documents/{document_id}", 200), log("after"), resource=resource)
    where = {"instance": "probed"}
    local.prometheus.wait_for_series("agentical_requests_total", where, value=1)
    local.logfire.wait_for_log("after")
    local.logfire.wait_for(
        lambda sink: any(s.name == "GET /documents/{document_id}" for s in sink.spans), "the span"
    )
    for name in ("agentical_requests_total", "agentical_request_duration_seconds_count"):
        counted = local.prometheus.series(name, where)
        assert {series.labels["endpoint"] for series in counted} == {"/documents/{document_id}"}
    assert not [span for span in local.logfire.spans if "/health" in span.name]


def test_pods_and_nodes_have_their_own_series(
    local: Cluster,
) -> None:
    for agent, pod in zip(local.agents, ("api-1", "api-2"), strict=True):
        for resource, metrics in kubernetes(pod, restarts=0):
            agent.send(*metrics, resource=resource)
    for pod in ("api-1", "api-2"):
        where = {"namespace": "shop", "pod": pod, "container": "api"}
        for name in ("container_cpu_usage_seconds_total", "container_memory_usage_bytes"):
            found = local.prometheus.wait_for_series(name, where)
            assert found.labels["job"] == "kubernetes"
            assert len(local.prometheus.series(name, where)) == 1
    for node in ("node-0", "node-1"):
        local.prometheus.wait_for_series("system_cpu_utilization_ratio", {"host": node})


@pytest.mark.parametrize("name", ["k8s_container_restarts", "container_start_time_seconds"])
def test_a_restarting_pods_series_fire_its_alert(local: Cluster, tmp_path: Path, name: str) -> None:
    """Of a sidecar there is only the second."""
    for resource, metrics in kubernetes("crashing-1", restarts=0):
        local.agents[0].send(*metrics, resource=resource)
    found = local.prometheus.wait_for_series(name, {"pod": "crashing-1"})
    quiet = {**found.labels, "pod": "quiet-1"}
    labels = {name: found.labels[name] for name in ("namespace", "pod", "container")}
    unit_test = {
        "rule_files": [str(PROMETHEUS / "rules/generated/kubernetes.yml")],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": written(found.name, found.labels), "values": "0x5 1 2 3 4 5x10"},
                    {"series": written(found.name, quiet), "values": "2x20"},
                ],
                "promql_expr_test": [
                    {
                        "expr": "ALERTS{alertname='PodRestarting', alertstate='firing'}",
                        "eval_time": "12m",
                        "exp_samples": [{"labels": written("ALERTS", FIRING | labels), "value": 1}],
                    }
                ],
            }
        ],
    }
    (tmp_path / "fires.test.yml").write_text(yaml.safe_dump(unit_test))
    done = promtool("test", "rules", tmp_path / "fires.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def written(name: str, labels: Mapping[str, str]) -> str:
    return name + "{" + ", ".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
