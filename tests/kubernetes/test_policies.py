"""What no manifest may do."""

import re

import pytest

from tests.kubernetes.rendering import COLLECTORS, OVERLAYS, Object, Pod, objects, workloads

SECRET = re.compile("TOKEN|PASSWORD|SECRET|KEY|CREDENTIAL|AUTHORIZATION|HEADERS")
# The Secrets of each container; one that is not named here may have none.
KNOWN = {
    "agentical-logfire": {"gateway/collector", "gateway/overlays"},
    "agentical-otlp": {"api/api", "worker/worker", "agent/collector", "agent/overlays"},
    "agentical-postgres": {"api/api", "worker/worker", "cluster/collector"},
    "agentical-prometheus": {"gateway/collector", "gateway/overlays"},
    "agentical-redis": {"api/api", "worker/worker", "cluster/collector"},
}
# Host metrics are those of the node's own /proc and file systems.
HOST_PATHS = {("agent", "/")}
ASKS_KUBERNETES = {"agent", "cluster"}
PODS = {
    "local": (*COLLECTORS, "api", "worker", "logfire"),
    "production": (*COLLECTORS, "api", "worker"),
}
RUN_ONCE = {"overlays", "queue-check", "window-check"}
# Ours are built from here; those of others have a digest.
PINNED = r"agentical/[a-z-]+:\d+\.\d+\.\d+|[a-z./-]+:\d+\.\d+\.\d+@sha256:[0-9a-f]{64}"
WITHOUT_PROBES = RUN_ONCE | {"window"}  # serves nothing: its metrics tell whether it works


def containers(spec: Object) -> list[Object]:
    return [*spec["containers"], *spec.get("initContainers", [])]


@pytest.fixture(params=[f"{overlay} {name}" for overlay in OVERLAYS for name in PODS[overlay]])
def pod(request: pytest.FixtureRequest) -> Pod:
    overlay, name = request.param.split()
    return Pod(overlay, name)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_checked(overlay: str) -> None:
    assert {item["metadata"]["name"] for item in workloads(overlay)} == set(PODS[overlay])


def test_pods_run_unprivileged(pod: Pod) -> None:
    context = pod.spec["securityContext"]
    assert context["runAsNonRoot"] is True
    assert min(context["runAsUser"], context["runAsGroup"], context["fsGroup"]) > 1000
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod.spec.keys().isdisjoint({"hostNetwork", "hostPID", "hostIPC", "hostUsers"})
    assert pod.spec["serviceAccountName"] == pod.name


def test_containers_can_write_only_to_their_volumes(pod: Pod) -> None:
    for container in containers(pod.spec):
        added = {"add": ["NET_BIND_SERVICE"]} if container["name"] == "guard" else {}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], **added},
        }, container["name"]
    writable = {"emptyDir", "name"}  # a persistent volume claim is not writable storage here
    for volume in pod.spec.get("volumes", []):
        if "hostPath" in volume:
            assert (pod.name, volume["hostPath"]["path"]) in HOST_PATHS
        if volume.keys() <= writable:
            assert "sizeLimit" in volume["emptyDir"], volume["name"]


def test_node_files_are_mounted_read_only(pod: Pod) -> None:
    of_host = {volume["name"] for volume in pod.spec.get("volumes", []) if "hostPath" in volume}
    for container in containers(pod.spec):
        for mount in container.get("volumeMounts", []):
            assert mount["name"] not in of_host or mount["readOnly"] is True


def test_containers_have_limits_pinned_images_and_probes(pod: Pod) -> None:
    for container in containers(pod.spec):
        said = container["name"]
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), said
        assert "memory" in container["resources"]["limits"], said
        assert re.fullmatch(PINNED, container["image"]), said
        probes = {"startupProbe", "readinessProbe", "livenessProbe"}
        assert said in WITHOUT_PROBES or probes <= container.keys(), said


def test_a_collector_that_does_not_answer_for_its_queues_is_restarted(pod: Pod) -> None:
    asked = {
        each["name"]: each["livenessProbe"]["httpGet"]
        for each in containers(pod.spec)
        if each["name"] == "collector"
    }
    expected = {"collector": {"path": "/metrics", "port": "self-metrics"}}
    assert asked == (expected if pod.name in {"agent", "gateway", "cluster"} else {})


def test_only_pods_that_use_the_kubernetes_api_have_a_token(pod: Pod) -> None:
    assert (pod.spec.get("automountServiceAccountToken") is not False) == (
        pod.name in ASKS_KUBERNETES
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_is_written_down(overlay: str) -> None:
    assert [item for item in objects(overlay) if item["kind"] == "Secret"] == []
    for item in workloads(overlay):
        for container in containers(item["spec"]["template"]["spec"]):
            for variable in container.get("env", []):
                if SECRET.search(variable["name"]):
                    assert set(variable["valueFrom"]) == {"secretKeyRef"}, variable["name"]
    for item in objects(overlay):
        if item["kind"] == "ConfigMap" and item["metadata"]["name"].startswith("connections"):
            assert not [name for name in item["data"] if SECRET.search(name)]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_secret_is_given_only_to_those_who_need_it(overlay: str) -> None:
    found: dict[str, set[str]] = {}
    for item in workloads(overlay):
        for container in containers(item["spec"]["template"]["spec"]):
            for variable in container.get("env", []):
                if secret := variable.get("valueFrom", {}).get("secretKeyRef"):
                    holder = f"{item['metadata']['name']}/{container['name']}"
                    found.setdefault(secret["name"], set()).add(holder)
    assert found == KNOWN


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_roles_are_read_only_and_exclude_secrets(overlay: str) -> None:
    roles = [item for item in objects(overlay) if item["kind"] in ("Role", "ClusterRole")]
    rules = [(item["metadata"]["name"], rule) for item in roles for rule in item["rules"]]
    for name, rule in rules:
        assert set(rule["verbs"]) <= {"get", "list", "watch"}, name
        assert {"*", "secrets", "configmaps", "nodes/proxy"}.isdisjoint(rule["resources"]), name
        assert "*" not in rule["apiGroups"], name
    bound = {
        (item["roleRef"]["kind"], item["roleRef"]["name"], item["subjects"][0]["name"])
        for item in objects(overlay)
        if item["kind"].endswith("Binding")
    }
    assert bound == {
        ("Role", "agent", "agent"),
        ("ClusterRole", "agentical-agent", "agent"),
        ("ClusterRole", "agentical-cluster", "cluster"),
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_traffic_is_denied_by_default(overlay: str) -> None:
    policies = [item for item in objects(overlay) if item["kind"] == "NetworkPolicy"]
    (nobody,) = [item["spec"] for item in policies if item["metadata"]["name"] == "nobody"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for item in policies:
        for rule in item["spec"].get("ingress", []):
            assert rule["from"], item["metadata"]["name"]
            assert rule["ports"], item["metadata"]["name"]
        for rule in item["spec"].get("egress", []):
            assert rule["ports"], item["metadata"]["name"]


def test_pods_that_are_not_ready_do_not_block_a_drain() -> None:
    budgets = [item for item in objects("production") if item["kind"] == "PodDisruptionBudget"]
    assert {item["metadata"]["name"] for item in budgets} == {"api", "worker", "gateway"}
    for item in budgets:
        assert item["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow", item["metadata"]["name"]
