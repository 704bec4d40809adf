"""What Kustomize renders comes from the repository's files: no copies, no omissions."""

from pathlib import Path

import pytest
import yaml

from stack.paths import COLLECTOR, GRAFANA, PROMETHEUS
from stack.pipeline.configs import STAGES
from tests.kubernetes.rendering import (
    COLLECTORS,
    DEPLOY,
    OVERLAYS,
    Pod,
    kustomize,
    named,
    objects,
    repository_path,
)

FOLDERS = (
    *("agents", "backends", "environments", "gateways", "guard"),
    *("infrastructure", "overlays", "routes", "window"),
)


def texts(folder: Path, pattern: str = "*") -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob(pattern) if path.is_file()}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_collector_folder_is_a_config_map_unchanged(overlay: str) -> None:
    for folder in FOLDERS:
        assert named(overlay, "ConfigMap", f"collector-{folder}")["data"] == texts(
            COLLECTOR / folder
        ), f"collector/kustomization.yaml lists not all of {folder}/"
    stages = named(overlay, "ConfigMap", "collector-stages")["data"]
    assert stages == {f"{name}.yaml": (COLLECTOR / f"{name}.yaml").read_text() for name in STAGES}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_dashboard_is_a_config_map_that_grafana_finds(overlay: str) -> None:
    found: dict[str, str] = {}
    for item in objects(overlay):
        if item["kind"] == "ConfigMap" and item["metadata"]["name"].startswith("dashboard-"):
            assert item["metadata"]["labels"]["grafana_dashboard"] == "1"
            assert len(item["data"]) == 1, "one each: a ConfigMap holds 1 MiB"
            found |= item["data"]
    assert found == texts(GRAFANA / "generated"), "list the others in grafana/kustomization.yaml"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_rule_file_is_a_prometheus_rule(overlay: str) -> None:
    rules = {
        item["metadata"]["name"].removeprefix("agentical-"): item["spec"]
        for item in objects(overlay)
        if item["kind"] == "PrometheusRule"
    }
    files = {
        path.stem: yaml.safe_load(path.read_text())
        for path in (PROMETHEUS / "rules").rglob("*.yml")
    }
    assert rules == files, "run `make generate` and commit what it writes"


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", COLLECTORS)
def test_a_collector_loads_the_repositorys_files(overlay: str, name: str) -> None:
    configs = Pod(overlay, name).configs()
    assert len(configs) > 4
    for path, text in configs.items():
        assert text == repository_path(path).read_text(), path


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_guard_and_the_queue_check_are_the_repositorys_files(overlay: str) -> None:
    gateway = Pod(overlay, "gateway")
    for container in ("guard", "queue-check"):
        path = gateway.container(container)["command"][-1 if container == "guard" else 1]
        name = path.rsplit("/", 1)[1]
        assert gateway.mounted(container, path) == (COLLECTOR / "guard" / name).read_text()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_is_labelled_and_in_one_namespace(overlay: str) -> None:
    for item in objects(overlay):
        what = (item["kind"], item["metadata"]["name"])
        clusterwide = item["kind"] in ("Namespace", "ClusterRole", "ClusterRoleBinding")
        assert item["metadata"].get("namespace") == (None if clusterwide else "agentical"), what
        assert item["metadata"]["labels"]["app.kubernetes.io/name"] == "agentical", what
    subjects = [subject for item in objects(overlay) for subject in item.get("subjects", [])]
    assert {subject["namespace"] for subject in subjects} == {"agentical"}


def test_the_overlays_differ_as_documented() -> None:
    kinds = {overlay: {item["kind"] for item in objects(overlay)} for overlay in OVERLAYS}
    scaling = {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    assert kinds["production"] - kinds["local"] == scaling
    assert kinds["local"] <= kinds["production"]
    replicas = {o: named(o, "StatefulSet", "gateway")["spec"]["replicas"] for o in OVERLAYS}
    assert replicas == {"local": 1, "production": 3}
    assert named("local", "Deployment", "logfire")["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    "folder", ["base", "components/kafka", *(f"overlays/{name}" for name in OVERLAYS)]
)
def test_no_file_of_the_folder_is_left_out(folder: str) -> None:
    listed = (DEPLOY / folder / "kustomization.yaml").read_text()
    for path in (DEPLOY / folder).iterdir():
        assert path.is_dir() or path.name in listed or path.name == "kustomization.yaml", path


def test_kustomize_says_when_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [gone.yaml]\n")
    assert kustomize(tmp_path).returncode != 0
