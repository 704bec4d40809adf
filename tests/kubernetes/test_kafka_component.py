"""The component `kafka` on each overlay: agents write to Kafka, gateways read from it."""

from pathlib import Path
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from otelcol_runner.configs import merged

from stack.paths import COLLECTOR
from stack.pipeline.configs import BACKENDS, STAGES
from tests.kubernetes.rendering import (
    COLLECTORS,
    DEPLOY,
    OVERLAYS,
    Object,
    Pod,
    kustomize,
    named,
    objects,
    plain,
    repository_path,
    with_kafka,
)

CHANGED = ("args", "env", "envFrom")
BROKERS = "kafka-0.example:9092,kafka-1.example:9092"
# The file that the component adds, and the one before it.
ADDED = {
    "gateway": ["gateways/from-agents", "gateways/from-kafka"],
    "cluster": ["infrastructure/redis", "infrastructure/kafka"],
}


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return with_kafka(request.param, tmp_path_factory.mktemp(request.param).resolve())


def loaded(pod: Pod) -> list[str]:
    """Return the names of a collector's files, without the stages and backends."""
    paths = [repository_path(path) for path in pod.configs()]
    names = [str(path.relative_to(COLLECTOR).with_suffix("")) for path in paths]
    return [name for name in names if name not in {*STAGES, *BACKENDS}]


def test_agents_write_to_kafka_only(overlay: str) -> None:
    pod = Pod(overlay, "agent")
    assert "agents/to-kafka" in loaded(pod)
    config = merged([repository_path(path) for path in pod.configs()])
    pipelines = config["service"]["pipelines"]
    for signal in ("traces", "logs", "metrics"):
        assert pipelines[f"{signal}/gateway"]["exporters"] == ["otlp_http/kafka"]
        loop = {"receivers": ["otlp/kafka"], "exporters": ["kafka/gateway"]}
        assert pipelines[f"{signal}/kafka"] == loop
    assert pipelines["traces/gateway"]["processors"] == ["k8s_attributes"]


def test_an_agents_queue_reaches_kafka_through_a_guard_like_the_gateways(overlay: str) -> None:
    agent = Pod(overlay, "agent")
    config = merged([repository_path(path) for path in agent.configs()])
    behind = config["receivers"]["otlp/kafka"]["protocols"]["http"]["endpoint"]
    assert behind == "${env:KAFKA_LISTEN:-127.0.0.1:14319}"
    there = {"GUARD_UPSTREAM": "127.0.0.1:14319", "GUARD_TIMEOUT": "0s"}
    assert agent.environment("guard") == there
    to_guard = config["exporters"]["otlp_http/kafka"]["endpoint"]
    assert to_guard == "${env:KAFKA_GUARD_URL:-http://127.0.0.1:4319}"
    assert "{$GUARD_LISTEN:4319}" in agent.mounted("guard", "/etc/caddy/Caddyfile")
    assert {"KAFKA_LISTEN", "KAFKA_GUARD_URL"}.isdisjoint(agent.environment("collector"))
    own, gateways = (pod.container("guard") for pod in (agent, Pod(overlay, "gateway")))
    assert {**own, "env": ()} == {**gateways, "env": ()}


@pytest.mark.parametrize("name", ADDED)
def test_gateways_read_from_kafka_and_the_cluster_collector_reports_the_lag(
    overlay: str, name: str
) -> None:
    files = loaded(Pod(overlay, name))
    at = files.index(ADDED[name][0])
    assert files[at : at + 2] == ADDED[name]


@pytest.mark.parametrize("name", COLLECTORS)
def test_each_collector_gets_the_brokers_and_reads_what_it_gets(overlay: str, name: str) -> None:
    pod = Pod(overlay, name)
    given = pod.environment("collector")
    assert given["KAFKA_BROKERS"] == BROKERS
    text = "\n".join(pod.configs().values())
    login = {"KAFKA_USERNAME", "KAFKA_PASSWORD"}  # read with OVERLAYS=kafka-login
    for variable in (v for v in given if v.startswith("KAFKA_") and v not in login):
        assert f"${{env:{variable}:-" in text, variable
    assert login <= given.keys()
    assert login <= pod.environment("overlays").keys()
    assert not login & pod.environment("collector", optional=False).keys()


def test_a_policy_opens_the_port_of_the_brokers(overlay: str) -> None:
    spec = named(overlay, "NetworkPolicy", "kafka")["spec"]
    (expression,) = spec["podSelector"]["matchExpressions"]
    assert set(expression["values"]) == set(COLLECTORS)
    (rule,) = spec["egress"]
    (shipped,) = [
        line.partition("=")[2]
        for line in (DEPLOY / "components/kafka/kafka.env").read_text().splitlines()
        if line.startswith("KAFKA_BROKERS=")
    ]
    assert rule == {"ports": [{"port": urlsplit(f"//{shipped}").port}]}


def test_it_adds_two_objects_and_changes_the_collectors_only(overlay: str) -> None:
    base = Path(overlay).name.rstrip("0123456789")
    added = [item for item in objects(overlay) if item not in objects(base)]
    missing = [item for item in objects(base) if item not in objects(overlay)]
    assert {plain(item["metadata"]["name"]) for item in added} == {"kafka", *COLLECTORS}
    assert {(item["kind"], item["metadata"]["name"]) for item in missing} == {
        ("DaemonSet", "agent"),
        ("StatefulSet", "gateway"),
        ("Deployment", "cluster"),
    }
    for item in added:
        assert item["metadata"]["namespace"] == "agentical"
        assert item["metadata"]["labels"]["app.kubernetes.io/name"] == "agentical"
    for name in COLLECTORS:
        old, new = Pod(base, name), Pod(overlay, name)
        assert old.spec["volumes"] == new.spec["volumes"], name
        for container in (*old.spec["containers"], *old.spec["initContainers"]):
            with_kafka = new.container(container["name"])
            assert unchanged(container) == unchanged(with_kafka), name
            assert {*container.get("args", [])} <= {*with_kafka.get("args", [])}, name


def unchanged(container: Object) -> Object:
    return {key: value for key, value in container.items() if key not in CHANGED}


@pytest.mark.parametrize("version", ["1.29"])
def test_its_objects_fit_the_schema(overlay: str, version: str) -> None:
    for item in objects(overlay):
        if item["metadata"]["name"] in {"kafka", *COLLECTORS} and "monitoring" not in str(item):
            kubernetes_validate.validate(item, version, strict=True)


def test_another_order_of_files_is_an_error_and_not_a_wrong_list(tmp_path: Path) -> None:
    """The component adds a file at a place in the list."""
    folder = tmp_path.resolve()
    with_kafka("production", folder)
    there = yaml.safe_load((folder / "kustomization.yaml").read_text())
    moved = [
        {
            "target": {"kind": "StatefulSet", "name": "gateway"},
            "patch": "- {op: remove, path: /spec/template/spec/containers/0/args/2}",
        }
    ]
    (folder / "moved").mkdir()
    base = {"resources": [f"../{there['resources'][0]}"], "patches": moved}
    (folder / "moved/kustomization.yaml").write_text(yaml.safe_dump(base))
    there["resources"] = ["moved"]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(there))
    done = kustomize(folder)
    assert done.returncode != 0
    assert "/spec/template/spec/containers/0/args/9" in done.stderr
