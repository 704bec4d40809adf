"""The operator takes our rules and monitors: Prometheus evaluates all and scrapes every pod."""

from otelcol_runner.polling import poll_until

from tests.cluster.overlays import Overlay, applied
from tests.cluster.pods import of_component
from tests.cluster.reports import groups, targets

POOL = "serviceMonitor/agentical/agentical-metrics/0"
PODS = "podMonitor/agentical/agentical-collectors/0"


@applied("local")
def test_prometheus_evaluates_every_shipped_rule(overlay: Overlay) -> None:
    shipped = {
        group["name"]: [rule.get("alert") or rule["record"] for rule in group["rules"]]
        for item in overlay.objects
        if item["kind"] == "PrometheusRule"
        for group in item["spec"]["groups"]
    }
    with overlay.kubectl.forward("monitoring", "service/prometheus-operated", 9090) as url:
        poll_until(lambda: groups(url) == shipped, "the rules", timeout=90, interval=1)


@applied("local")
def test_prometheus_scrapes_what_the_monitors_name(overlay: Overlay) -> None:
    agents = len(of_component(overlay.kubectl, "agent"))
    # The pipeline's metrics: of agents and `cluster`. Collectors' own: the gateway's, too.
    expected = {POOL: ["up"] * (agents + 1), PODS: ["up"] * (agents + 2)}
    with overlay.kubectl.forward("monitoring", "service/prometheus-operated", 9090) as url:
        poll_until(
            lambda: targets(url) == expected,
            "every target up",
            timeout=180,  # six scrapes
            interval=1,
            seen=lambda: targets(url),
        )
