"""The manifests are consistent with the files they mount: variables, ports, queues."""

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pytest
import yaml
from otelcol_runner.configs import merged, read

from app.settings import Settings
from stack.capacity import kubernetes
from stack.capacity.figures import measured
from stack.paths import COLLECTOR, ROOT
from stack.pipeline.configs import BACKENDS, STAGES, started_on
from stack.services.collector import FEATURE_GATES, Collector
from stack.services.guard import CONFIG as GUARD_CONFIG
from tests.kubernetes.rendering import (
    COLLECTORS,
    CONFIG,
    MERGED,
    OVERLAYS,
    Pod,
    repository_path,
    workloads,
)
from tests.support.caddy import listeners

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
OLD = 15.0  # seconds that the autoscaler's metric may be old when it is in Prometheus
LISTENS = {
    "otlp-grpc": "OTLP_GRPC_LISTEN",
    "otlp-http": "OTLP_HTTP_LISTEN",
    "otlp-agents": "AGENTS_LISTEN",
    "metrics": "SCRAPE_LISTEN",
    "health": "HEALTH_LISTEN",
}
# Read by the arguments, by other variables or by k8s_attributes itself.
NOT_IN_FILES = {"ROUTE", "ENVIRONMENT", "K8S_NODE_NAME", "POSTGRES_DB"}
REPORTS = 4.0  # seconds that the two reports of a collector's own metrics may take at its end
WINDOW = ("SAMPLING_WINDOW", "SAMPLING_WINDOW_DIR", "SAMPLING_WINDOW_FILES")
UNITS = {"Mi": 2**20, "Gi": 2**30}

collectors = pytest.mark.parametrize("name", COLLECTORS)
overlays = pytest.mark.parametrize("overlay", OVERLAYS)


def text_of(pod: Pod) -> str:
    """Return the text of the collector's files, without comments."""
    lines = "\n".join(pod.configs().values()).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


@overlays
@collectors
def test_a_collector_gets_the_variables_that_its_files_ask_for(overlay: str, name: str) -> None:
    pod = Pod(overlay, name)
    asked, given = text_of(pod), pod.environment("collector")
    unknown = {v for v in given if f"${{env:{v}" not in asked} - NOT_IN_FILES - {*WINDOW}
    assert not {v for v in unknown if not (v == "OTLP_TOKEN" and name == "agent")}
    needed = set(re.findall(r"\$\{env:([A-Z0-9_]+)\}", asked))
    assert needed <= pod.environment("collector", optional=False).keys()
    assert "$(" not in str([*given.values(), *pod.configs()])


@overlays
@collectors
def test_a_collectors_ports_are_those_it_listens_on(overlay: str, name: str) -> None:
    pod = Pod(overlay, name)
    ports = {item["name"]: item["containerPort"] for item in pod.container("collector")["ports"]}
    given = pod.environment("collector")
    assert given["SELF_METRICS_HOST"] == "0.0.0.0"
    assert str(ports.pop("self-metrics")) == given["SELF_METRICS_PORT"]
    listens = {v: value for v, value in given.items() if v.endswith("_LISTEN")}
    assert {LISTENS[port]: f"0.0.0.0:{number}" for port, number in ports.items()} == listens
    for variable in listens:
        assert f"${{env:{variable}" in text_of(pod), variable
    for probe in ("startupProbe", "readinessProbe"):
        assert pod.container("collector")[probe]["httpGet"]["port"] == "health"


@overlays
def test_the_worker_is_probed_as_in_compose(overlay: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["worker"]
    worker = Pod(overlay, "worker").container("worker")
    assert worker["command"] == compose["command"]
    probe = compose["healthcheck"]["test"][1:]
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert worker[name]["exec"]["command"] == probe
    file = PurePosixPath(compose["command"][-1].removeprefix("--heartbeat="))
    assert str(file) in probe
    assert str(file.parent) in {mount["mountPath"] for mount in worker["volumeMounts"]}
    assert compose["tmpfs"] == [str(file.parent)]


@overlays
@collectors
def test_a_collector_is_not_killed_while_a_remote_write_may_end(overlay: str, name: str) -> None:
    write = read(COLLECTOR / "backends/prometheus.yaml")["exporters"]["prometheus_remote_write"]
    timeout = float(write["timeout"].removesuffix("s"))
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["collector"]
    assert Pod(overlay, name).spec["terminationGracePeriodSeconds"] > timeout + REPORTS
    assert float(compose["stop_grace_period"].removesuffix("s")) > timeout + REPORTS
    assert Collector([], {"HEALTH_LISTEN": ""}).stop_timeout > timeout + REPORTS


@overlays
@collectors
def test_a_collector_is_started_with_the_shared_arguments(overlay: str, name: str) -> None:
    arguments = Pod(overlay, name).container("collector")["args"]
    assert (arguments[0], arguments[-1]) == (FEATURE_GATES, f"{CONFIG}{MERGED}")
    paths = [repository_path(path) for path in Pod(overlay, name).configs()]
    names = [str(path.relative_to(COLLECTOR).with_suffix("")) for path in paths]
    chosen = [each for each in names if each not in {*STAGES, *BACKENDS}]
    assert names == started_on(*chosen)
    rooms = [each.split("/")[0] for each in chosen]
    order = ["gateways", "infrastructure", "environments", "window", "routes", "agents"]
    order.append("overlays")
    assert rooms == sorted(rooms, key=order.index)


@overlays
@collectors
def test_overlays_are_merged_before_the_collector_starts(
    overlay: str, name: str, tmp_path: Path
) -> None:
    """The container's own command, on the files that are mounted into it."""
    pod = Pod(overlay, name)
    container, names = pod.container("overlays"), pod.environment("overlays")["OVERLAYS"]
    assert container["command"] == ["python", "/srv/overlays/merge.py", MERGED]
    script = COLLECTOR / "overlays" / "merge.py"
    assert pod.mounted("overlays", "/srv/overlays/merge.py") == script.read_text()
    target = tmp_path / "merged.yaml"
    done = subprocess.run(
        [sys.executable, script, target], env={"OVERLAYS": names}, check=True, capture_output=True
    )
    assert done.stderr == b""
    files = [repository_path(path) for path in pod.configs() if "/overlays/" in path]
    assert yaml.safe_load(target.read_text()) == merged(files)
    for user in ("overlays", "collector"):
        (mount,) = [m for m in pod.container(user)["volumeMounts"] if m["name"] == "merged"]
        assert mount["mountPath"] == str(PurePosixPath(MERGED).parent)
    assert {"name": "merged", "emptyDir": {"sizeLimit": "1Mi"}} in pod.spec["volumes"]


@overlays
@collectors
def test_the_queues_fit_on_their_volume(overlay: str, name: str) -> None:
    pod = Pod(overlay, name)
    config = merged([repository_path(path) for path in pod.configs()])
    queued = {
        e for e, how in config["exporters"].items() if "storage" in (how.get("sending_queue") or {})
    }
    queues = [
        e for p in config["service"]["pipelines"].values() for e in p["exporters"] if e in queued
    ]
    assert len(queues) == 3
    queue_bytes = int(pod.environment("collector")["QUEUE_BYTES"])
    assert volume(overlay, name) >= kubernetes.volume(queue_bytes, measured()) * 2**30


@overlays
def test_the_sampling_window_is_in_memory_and_fits(overlay: str) -> None:
    pod, users = Pod(overlay, "gateway"), ("collector", "window", "window-check")
    given = pod.environment("collector")
    for user in users:
        assert {v: pod.environment(user)[v] for v in WINDOW} == {v: given[v] for v in WINDOW}
        folder = {"name": "window", "mountPath": given["SAMPLING_WINDOW_DIR"]}
        assert folder in pod.container(user)["volumeMounts"], user
    assert given["SAMPLING_WINDOW"] == given["ENVIRONMENT"]
    for variable in ("INSTANCE_NAME", "TRACE_DECISION_WAIT"):
        assert pod.environment("window").get(variable) == given.get(variable), variable
    program = (COLLECTOR / "window" / "window.py").read_text()
    for user in users[1:]:
        assert pod.mounted(user, pod.container(user)["command"][1]) == program
    size = (int(given["SAMPLING_WINDOW_FILES"]) + 2) * 16
    (volume,) = [one for one in pod.spec["volumes"] if one["name"] == "window"]
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": f"{size}Mi"}
    # What the memory limiter lets the collector use does not include the window.
    config = merged([repository_path(path) for path in pod.configs()])
    share = config["processors"]["memory_limiter"]["limit_percentage"] / 100
    limit = pod.container("collector")["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("Gi")) * 1024 * (1 - share) >= size


def volume(overlay: str, name: str) -> int:
    """Return the bytes of a collector's queue volume."""
    (found,) = [item for item in workloads(overlay) if item["metadata"]["name"] == name]
    size = found["spec"].get("volumeClaimTemplates", [{}])[0]
    text = (
        size["spec"]["resources"]["requests"]["storage"]
        if size
        else next(v for v in Pod(overlay, name).spec["volumes"] if v["name"] == "queue")[
            "emptyDir"
        ]["sizeLimit"]
    )
    return int(text[:-2]) * UNITS[text[-2:]]


@overlays
def test_the_gateway_uses_its_guard_and_the_guard_fully_qualified_names(overlay: str) -> None:
    gateway = Pod(overlay, "gateway")
    guard, lines = gateway.environment("guard"), GUARD_CONFIG.read_text()
    given = gateway.environment("collector")
    endpoints = {given["LOGFIRE_ENDPOINT"], given["PROMETHEUS_REMOTE_WRITE_ENDPOINT"]}
    assert {urlsplit(endpoint).netloc for endpoint in endpoints} == listeners(guard)
    for variable, value in guard.items():
        assert f"# {variable} " in lines, variable
        if variable.endswith("UPSTREAM"):
            assert re.fullmatch(r"[a-z-]+(\.[a-z-]+){2,}:\d+", value), value


@overlays
def test_the_applications_variables_are_settings(overlay: str) -> None:
    settings = {name.upper() for name in Settings.model_fields}
    for name in ("api", "worker"):
        given = Pod(overlay, name).environment(name)
        own = {v for v in given if not v.startswith("OTEL_")} - {"DEPLOYMENT", "POD_UID"}
        assert own <= settings
        assert (
            f"deployment.environment.name={'development' if overlay == 'local' else 'production'}"
            in given["OTEL_RESOURCE_ATTRIBUTES"]
        )
        assert "$(" not in str(given)


def producers(overlay: str) -> list[tuple[Pod, str]]:
    """Return the containers that send telemetry, with their pods."""
    pods = [Pod(overlay, item["metadata"]["name"]) for item in workloads(overlay)]
    return [
        (pod, each["name"])
        for pod in pods
        for each in pod.spec["containers"]
        if "OTEL_EXPORTER_OTLP_ENDPOINT" in pod.environment(each["name"])
    ]


@overlays
def test_agents_ignore_the_probes_of_the_services_and_nothing_else(overlay: str) -> None:
    probed = {
        probe["httpGet"]["path"]
        for pod, name in producers(overlay)
        for probe in (pod.container(name).get(kind, {}) for kind in PROBES)
        if "httpGet" in probe
    }
    assert probed
    assert set(Pod(overlay, "agent").environment("collector")["IGNORED_PATHS"].split("|")) == probed


def test_the_metric_that_the_worker_scales_by_is_seconds_old() -> None:
    """What the producer waits, and the queues of agent and gateway on the way to Prometheus."""
    way = (("agent", "otlp_grpc/gateway"), ("gateway", "otlp_grpc/metrics_buffer"))
    waits = 0.0
    for name, exporter in way:
        config = merged([repository_path(path) for path in Pod("production", name).configs()])
        receiver = "forward/metrics"
        assert exporter in {
            each
            for pipeline in config["service"]["pipelines"].values()
            if receiver in pipeline["receivers"]
            for each in pipeline["exporters"]
        }
        flush = config["exporters"][exporter]["sending_queue"]["batch"]["flush_timeout"]
        waits += float(flush.removesuffix("ms")) / 1000
    names = set()
    for pod, container in producers("production"):
        interval = float(pod.environment(container)["OTEL_METRIC_EXPORT_INTERVAL"]) / 1000
        assert interval + waits < OLD, container
        names.add(container)
    assert names == {"api", "worker"}


@overlays
def test_starts_of_sidecars_are_reported(overlay: str) -> None:
    """PodRestarting counts them: the API server's restarts of them are in no series."""
    config = merged([repository_path(path) for path in Pod(overlay, "agent").configs()])
    kubelet = config["receivers"]["kubelet_stats"]
    assert kubelet["metrics"]["container.uptime"] == {"enabled": True}


@overlays
def test_an_agent_does_not_report_its_pods_network_as_the_nodes(overlay: str) -> None:
    """Of a mounted /proc, the network is that of the process that reads it."""
    config = merged([repository_path(path) for path in Pod(overlay, "agent").configs()])
    metrics = config["receivers"]["host_metrics"]["scrapers"]["network"]["metrics"]
    named = ("connections", "dropped", "errors", "io", "packets")  # all that are on by default
    assert metrics == {f"system.network.{name}": {"enabled": False} for name in named}
