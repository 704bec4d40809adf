"""A version that several files name is the same in all of them."""

import re

import yaml

from stack.paths import COLLECTOR, ROOT
from stack.tools.kubernetes import OPERATOR, locked
from stack.tools.programs import COLLECTOR_TOOL, LOCKS
from tests.cluster.addons.images import references
from tests.containers.images import defaults

MANIFESTS = [*(ROOT / "deploy").rglob("*.yaml"), *(ROOT / "tests/cluster/manifests").glob("*.yaml")]
IMAGE = re.compile(r"\bimage: (\S+)")


def test_the_manifests_and_compose_run_the_same_images_to_the_digest() -> None:
    used = {path.name: set(IMAGE.findall(path.read_text())) for path in MANIFESTS}
    collector = defaults()["COLLECTOR_IMAGE"]
    assert {name for name, images in used.items() if collector in images} == {
        "agent.yaml",
        "cluster.yaml",
        "gateway.yaml",
    }
    assert set().union(*used.values()) <= set(defaults().values())


def test_the_collectors_image_has_the_built_version() -> None:
    tag = defaults()["COLLECTOR_IMAGE"].partition(":")[2].partition("@")[0]
    assert tag == ".".join(map(str, COLLECTOR_TOOL.at_least))
    for manifest in COLLECTOR.rglob("builder.yaml"):
        modules = str(yaml.safe_load(manifest.read_text())["exporters"])
        assert f"/fileexporter v{tag}" in modules
    assert f"cmd/builder@v{tag} " in (COLLECTOR / "distribution" / "README.md").read_text()


def test_the_add_ons_of_the_cluster_have_the_locked_versions() -> None:
    versions = dict(name.rpartition("/")[2].split(":v") for name in references())
    assert versions == {
        "coredns": locked("github.com/coredns/coredns"),
        "kube-network-policies": locked("sigs.k8s.io/kube-network-policies"),
        "metrics-server": locked("sigs.k8s.io/metrics-server"),
        "prometheus-adapter": locked("sigs.k8s.io/prometheus-adapter"),
        "prometheus-config-reloader": locked(OPERATOR, "prometheus-operator"),
        "prometheus-operator": locked(OPERATOR, "prometheus-operator"),
    }


def test_all_of_kubernetes_is_one_release() -> None:
    text = (LOCKS / "kubernetes" / "go.mod").read_text()
    replaced = re.findall(r"^\tk8s\.io/\S+ => \S+ v0\.(\S+)$", text, re.MULTILINE)
    assert {f"1.{version}" for version in replaced} == {locked("k8s.io/kubernetes")}


def test_the_operator_that_runs_has_the_types_that_manifests_are_checked_against() -> None:
    checked = (ROOT / "tests" / "kubernetes" / "operator" / "go.mod").read_text()
    run = locked(OPERATOR, "prometheus-operator")
    assert f"{OPERATOR}/pkg/apis/monitoring v{run}\n" in checked
