"""A version that several files name is the same in all of them."""

import re

import yaml

from stack.paths import COLLECTOR, ROOT
from stack.tools.programs import COLLECTOR_TOOL
from tests.containers.images import defaults

MANIFESTS = sorted((ROOT / "deploy").rglob("*.yaml"))
IMAGE = re.compile(r"\bimage: (otel/opentelemetry-collector-contrib\S*)")


def test_the_manifests_and_compose_run_the_same_collector() -> None:
    used = {path: set(IMAGE.findall(path.read_text())) for path in MANIFESTS}
    named = {path.name for path, images in used.items() if images}
    assert named >= {"agent.yaml", "cluster.yaml", "gateway.yaml"}
    assert set().union(*used.values()) == {defaults()["COLLECTOR_IMAGE"]}


def test_the_collectors_image_has_the_built_version() -> None:
    tag = defaults()["COLLECTOR_IMAGE"].partition(":")[2]
    assert tag == ".".join(map(str, COLLECTOR_TOOL.at_least))
    for manifest in COLLECTOR.rglob("builder.yaml"):
        modules = str(yaml.safe_load(manifest.read_text())["exporters"])
        assert f"/fileexporter v{tag}" in modules
    assert f"cmd/builder@v{tag} " in (COLLECTOR / "distribution" / "README.md").read_text()
