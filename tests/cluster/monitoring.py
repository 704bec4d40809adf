"""The Prometheus operator and the Prometheus adapter, where the cluster does not have them."""

from collections.abc import Callable
from pathlib import Path

import yaml
from otelcol_runner.polling import poll_until

from tests.cluster.addons.adapter import config_map
from tests.cluster.kubectl import Kubectl

ADDONS = Path(__file__).parent / "addons"
TYPE = "prometheuses.monitoring.coreos.com"
SERVED = "v1beta1.external.metrics.k8s.io"
PRINTER = ("crds", "--namespace=default")  # a pod


def install(kubectl: Kubectl) -> None:
    """Apply them; they are ready later."""
    if not kubectl.exists("customresourcedefinition", TYPE):
        kubectl.apply(types(kubectl))
        kubectl.apply(ADDONS / "operator.yaml")
    if not kubectl.exists("apiservice", SERVED):
        kubectl.apply(config_map())
        kubectl.apply(ADDONS / "prometheus-adapter.yaml")


def types(kubectl: Kubectl) -> str:
    """Return the operator's own types, which its program prints. Raises `UserError`."""
    kubectl.run("run", *PRINTER, f"--image={image()}", "--restart=Never", "--", "crds")
    try:
        poll_until(lambda: phase(kubectl) == "Succeeded", "the operator's types", timeout=120)
        return poll_until(whole_log(kubectl), "all of the types", timeout=30, interval=0.5)
    finally:
        kubectl.run("delete", "pod", *PRINTER, "--wait=false")


def whole_log(kubectl: Kubectl) -> Callable[[], str]:
    """Return a check for the log once it grows no more: its end comes after that of the pod."""
    seen = [""]

    def check() -> str:
        seen.append(kubectl.run("logs", *PRINTER))
        return seen[-1] if seen[-1] == seen[-2] else ""

    return check


def image() -> str:
    """Return the operator's image."""
    items = yaml.safe_load_all((ADDONS / "operator.yaml").read_text())
    (deployment,) = [item for item in items if item["kind"] == "Deployment"]
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def phase(kubectl: Kubectl) -> str:
    return str(kubectl.json("get", "pod", *PRINTER)["status"].get("phase"))
