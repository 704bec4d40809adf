"""A version that several files name is the same in all of them."""

import re

import yaml

from stack.paths import COLLECTOR, ROOT
from stack.tools.programs import COLLECTOR_TOOL
from tests.containers.images import defaults

MANIFESTS = [*(ROOT / "deploy").rglob("*.yaml"), *(ROOT / "tests/kubernetes/kind").glob("*.yaml")]
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
