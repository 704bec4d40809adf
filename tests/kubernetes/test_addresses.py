"""The manifests are consistent with each other: addresses, ports, monitors, images."""

import re
from typing import Any

import pytest
import yaml

from app.settings import Settings
from stack.paths import COLLECTOR, ROOT
from tests.kubernetes.rendering import (
    COLLECTORS,
    DEPLOY,
    OVERLAYS,
    Object,
    Pod,
    named,
    objects,
    workloads,
)

overlays = pytest.mark.parametrize("overlay", OVERLAYS)


def endpoints(overlay: str) -> dict[str, int]:
    """Return every address of a Service, by short and qualified name, with its port in the pod."""
    found = {}
    for item in (item for item in objects(overlay) if item["kind"] == "Service"):
        name, spec = item["metadata"]["name"], item["spec"]
        (pod,) = [each for each in workloads(overlay) if selected(spec["selector"], each)]
        listens = pod["spec"]["template"]["spec"]["containers"][0]["ports"]
        ports = {port["name"]: port["containerPort"] for port in listens}
        for port in spec["ports"]:
            for host in (name, f"{name}.agentical.svc.cluster.local"):
                found[f"{host}:{port['port']}"] = ports[port["targetPort"]]
    return found


def selected(labels: Object, workload: Object) -> bool:
    mine = workload["spec"]["template"]["metadata"]["labels"]
    return bool(labels.items() <= mine.items())


@overlays
def test_every_address_is_a_port_of_a_service(overlay: str) -> None:
    said = ""
    for pod in [Pod(overlay, item["metadata"]["name"]) for item in workloads(overlay)]:
        for container in [*pod.spec["containers"], *pod.spec.get("initContainers", [])]:
            said += " ".join(pod.environment(container["name"]).values()) + " "
    whole = r"\b(?:[a-z-]+\.agentical\.svc\.cluster\.local|agent|api):\d+"
    addresses = re.findall(whole, said)
    assert len(addresses) >= 5
    assert set(addresses) <= endpoints(overlay).keys()


def test_agents_find_their_gateways_where_the_service_is() -> None:
    given = Pod("production", "agent").environment("collector")
    resolver = yaml.safe_load(given["GATEWAYS"])["dns"]
    assert f"{resolver['hostname']}:{resolver['port']}" == given["GATEWAY_ENDPOINT"]


@overlays
def test_network_policies_name_ports_that_exist(overlay: str) -> None:
    for item in objects(overlay):
        if item["kind"] == "NetworkPolicy":
            spec = item["spec"]
            for rule in spec.get("ingress", []):
                check(overlay, spec["podSelector"], rule["ports"])
            for rule in spec.get("egress", []):
                for peer in rule.get("to", []):
                    if "podSelector" in peer:
                        check(overlay, peer["podSelector"], rule["ports"])


def check(overlay: str, selector: Object, ports: list[Object]) -> None:
    """Find each named port in at least one pod that the selector matches."""
    wanted = selector.get("matchLabels", {}).get("app.kubernetes.io/component")
    names = [wanted] if wanted else selector["matchExpressions"][0]["values"]
    specs = [Pod(overlay, name).spec for name in names]
    there = {p["name"] for spec in specs for c in spec["containers"] for p in c.get("ports", [])}
    assert {port["port"] for port in ports} <= there


@overlays
def test_the_scrape_endpoints_monitor_is_as_specified(overlay: str) -> None:
    monitor = named(overlay, "ServiceMonitor", "agentical-metrics")
    assert monitor["metadata"]["namespace"] == "agentical"
    assert monitor["metadata"]["labels"]["app.kubernetes.io/name"] == "agentical"
    spec: dict[str, Any] = monitor["spec"]
    assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/name": "agentical"}}
    assert spec["namespaceSelector"] == {"matchNames": ["agentical"]}
    (endpoint,) = spec["endpoints"]
    wanted = {"port": "metrics", "path": "/metrics", "interval": "30s", "honorLabels": True}
    assert endpoint.items() >= wanted.items()
    scraped = {
        item["metadata"]["name"]: port["targetPort"]
        for item in objects(overlay)
        if item["kind"] == "Service"
        for port in item["spec"]["ports"]
        if port["name"] == "metrics"
    }
    assert scraped == {"agent": "metrics", "cluster": "metrics"}
    for name in scraped:
        assert "8001" in Pod(overlay, name).environment("collector")["SCRAPE_LISTEN"]


@overlays
def test_the_collectors_own_monitor_finds_each_of_them(overlay: str) -> None:
    spec = named(overlay, "PodMonitor", "agentical-collectors")["spec"]
    (expression,) = spec["selector"]["matchExpressions"]
    assert set(expression["values"]) == set(COLLECTORS)
    check(overlay, spec["selector"], [{"port": spec["podMetricsEndpoints"][0]["port"]}])


def test_the_worker_scales_on_an_existing_series() -> None:
    metric = named("production", "HorizontalPodAutoscaler", "worker")["spec"]["metrics"][0]
    adapter = yaml.safe_load((DEPLOY / "prometheus-adapter.yaml").read_text())
    (rule,) = adapter["rules"]["external"]
    assert metric["external"]["metric"]["name"] == rule["seriesQuery"] == "agentical_queue_depth"
    (queue,) = metric["external"]["metric"]["selector"]["matchLabels"].values()
    assert queue == Settings.model_fields["task_queue"].default
    assert "new_name: agentical.queue.depth\n" in (COLLECTOR / "names.yaml").read_text()


@overlays
def test_the_images_are_those_of_compose(overlay: str) -> None:
    composed = set(
        re.findall(
            r":-([a-z/.-]+:v?[\d.]+(?:@sha256:[0-9a-f]{64})?)\}",
            (ROOT / "docker-compose.yml").read_text(),
        )
    )
    for item in workloads(overlay):
        spec = item["spec"]["template"]["spec"]
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["image"] in composed
