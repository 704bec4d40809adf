"""Every object is valid by the schemas of Kubernetes and of the Prometheus operator."""

import json
import subprocess
from functools import cache
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from stack.tools.kubernetes import locked
from stack.tools.programs import Module, Tool
from stack.tools.toolchain import provide
from tests.cluster.addons.adapter import config_map
from tests.cluster.addons.images import FOLDER
from tests.kubernetes.rendering import OVERLAYS, Object, objects

# Sidecars (an init container that restarts always) begin with the first of these.
VERSIONS = ("1.29", "1.37")
OPERATORS = "monitoring.coreos.com/v1"
OPERATOR_TOOL = Tool(
    name="operator-types",
    on_path="operator-types",
    at_least=(1,),
    module=Module(Path(__file__).parent / "operator", seconds=60),
)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_object_fits_the_schema_of_the_oldest_and_the_newest_kubernetes(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise it reads megabytes of definitions for each object.
    monkeypatch.setattr(utils, "schema_contents", cache(utils.schema_contents))
    production = [item for item in objects("production") if item["apiVersion"] != OPERATORS]
    local = [item for item in objects("local") if item["apiVersion"] != OPERATORS]
    assert min(len(production), len(local)) > 30
    for item in [*production, *(item for item in local if item not in production)]:
        kubernetes_validate.validate(item, version, strict=True)


def test_each_object_of_the_tests_add_ons_fits_their_cluster() -> None:
    texts = [*(path.read_text() for path in sorted(FOLDER.glob("*.yaml"))), config_map()]
    assert len(texts) == 6
    version = locked("k8s.io/kubernetes").rpartition(".")[0]
    for item in (item for text in texts for item in yaml.safe_load_all(text)):
        kubernetes_validate.validate(item, version, strict=True)


def refusals(items: list[Object]) -> str:
    """Return the errors of the operator's own types on these objects."""
    lines = "\n".join(json.dumps(item) for item in items)
    command = [str(provide(OPERATOR_TOOL))]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stderr)
    return done.stderr


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_object_for_the_operator_fits_its_types(overlay: str) -> None:
    theirs = [item for item in objects(overlay) if item["apiVersion"] == OPERATORS]
    assert {item["kind"] for item in theirs} == {"PodMonitor", "PrometheusRule", "ServiceMonitor"}
    assert refusals(theirs) == ""


@pytest.mark.parametrize(
    ("field", "value"), [("honourLabels", True), ("interval", 30)], ids=["unknown", "mistyped"]
)
def test_an_unknown_field_of_an_operator_object_is_found(field: str, value: object) -> None:
    item: Object = {"kind": "ServiceMonitor", "spec": {"endpoints": [{field: value}]}}
    assert field in refusals([item])


def test_an_unknown_field_is_found() -> None:
    item = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"port": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="port"):
        kubernetes_validate.validate(item, VERSIONS[0], strict=True)
