"""The patch of `agentical capacity --kubernetes`, in an overlay on `production`."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from otelcol_runner.configs import merged

from stack.capacity.figures import Measured, measured
from stack.capacity.patch import FILE
from tests.kubernetes.rendering import DEPLOY, Object, Pod, named, objects, repository_path

UNITS = {"m": 0.001, "": 1, "Mi": 2**20, "Gi": 2**30}
FILE_BYTES = 16 * 2**20  # of the sampling window
CASES = {
    "small": ["--requests-per-second=2", "--outage-hours=0", "--nodes=2"],
    "default": ["--requests-per-second=100"],
    "large": ["--requests-per-second=1250", "--spans-per-request=8", "--nodes=100"],
    "larger": ["--requests-per-second=20000", "--nodes=4", "--utilisation=80"],
    "all kept": ["--requests-per-second=1000", "--nodes=4", "--sample-percent=100"],
    "outage": [
        *("--requests-per-second=300", "--outage-hours=24", "--nodes=5", "--processes=40"),
        *("--decision-wait=60.5", "--sample-percent=50", "--log-sample-percent=25"),
    ],
}
SAMPLING = {
    "--decision-wait": "TRACE_DECISION_WAIT",
    "--sample-percent": "TRACE_SAMPLE_PERCENT",
    "--log-sample-percent": "LOG_SAMPLE_PERCENT",
}
USERS = ("window-check", "window", "collector")  # of the sampling window


@dataclass
class Case:
    """An overlay with the patch, and what the calculator says."""

    folder: str
    said: dict[str, Any]
    demand: dict[str, Any]
    options: list[str]

    def pod(self, name: str) -> Pod:
        return Pod(self.folder, name)

    def number(self, name: str, variable: str) -> int:
        return int(self.pod(name).environment("collector")[variable])


def calculated(*options: str) -> str:
    command = [str(Path(sys.executable).parent / "agentical"), "capacity", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def amount(text: str) -> float:
    """Return a quantity in cores or bytes."""
    number, unit = re.fullmatch(r"(\d+)([a-zA-Z]*)", text).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


def resources(pod: Pod, container: str = "collector") -> tuple[float, float, float]:
    """Return CPU and memory requested, and the limit of memory."""
    found = pod.container(container)["resources"]
    asked = found["requests"]
    return amount(asked["cpu"]), amount(asked["memory"]), amount(found["limits"]["memory"])


def room(pod: Pod, volume: str) -> float:
    (found,) = [item for item in pod.spec["volumes"] if item["name"] == volume]
    return amount(found["emptyDir"]["sizeLimit"])


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    options = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param).resolve()
    text = calculated(*options, "--kubernetes")
    (folder / FILE).write_text(text)
    head = "\n".join(re.findall(r"^#   (resources: .+|patches: .+)$", text, re.MULTILINE))
    overlay = yaml.safe_load(head)
    base = (DEPLOY / "overlays" / "mine" / overlay["resources"][0]).resolve()
    overlay["resources"] = [str(Path("../" * (len(folder.parts) - 1)) / base.relative_to("/"))]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    nodes = [] if any("--nodes" in option for option in options) else ["--nodes=1"]
    answer = json.loads(calculated(*options, *nodes, "--json"))
    return Case(str(folder), answer["need"], answer["demand"], options)


@pytest.fixture(scope="module")
def known() -> Measured:
    return measured()


def test_the_rendered_gateways_are_as_calculated(case: Case) -> None:
    spec = named(case.folder, "StatefulSet", "gateway")["spec"]
    assert spec["replicas"] == case.said["gateways"]
    assert case.number("gateway", "QUEUE_BYTES") == case.said["queue_bytes_limit"]
    files = {case.pod("gateway").environment(user)["SAMPLING_WINDOW_FILES"] for user in USERS}
    assert files == {str(case.said["window_files"])}
    (window,) = [v for v in case.pod("gateway").spec["volumes"] if v["name"] == "window"]
    size = f"{case.said['window_room'] / 2**20:.0f}Mi"
    assert window["emptyDir"] == {"medium": "Memory", "sizeLimit": size}
    _, _, limit = resources(case.pod("gateway"))
    least = max(case.said["memory_limit"], resources(Pod("production", "gateway"))[2])
    assert least <= limit < least + 2**26


def test_the_memory_suffices_for_what_was_measured(case: Case) -> None:
    gateway = case.pod("gateway")
    config = merged([repository_path(path) for path in gateway.configs()])
    limiter = config["processors"]["memory_limiter"]
    used = (limiter["limit_percentage"] - limiter["spike_limit_percentage"]) / 100
    cpu, requested, limit = resources(gateway)
    assert limit * used >= case.said["memory"]
    assert limit * (1 - limiter["limit_percentage"] / 100) >= room(gateway, "window")
    assert case.said["memory"] + case.said["window"] <= requested <= limit
    assert cpu >= case.said["cores"] / (case.said["gateways"] - 1)
    assert resources(gateway, "window")[2] <= 2**29 + room(gateway, "window")


def test_the_window_fits_and_holds_what_arrives(case: Case) -> None:
    files = int(case.pod("gateway").environment("window-check")["SAMPLING_WINDOW_FILES"])
    assert (files + 2) * FILE_BYTES <= room(case.pod("gateway"), "window")
    assert files * FILE_BYTES >= case.said["window"] / 0.8  # of utilisation


def test_full_queues_fit_on_their_volumes(case: Case, known: Measured) -> None:
    assert case.number("gateway", "QUEUE_BYTES") >= max(case.said["queues"].values())
    (claim,) = named(case.folder, "StatefulSet", "gateway")["spec"]["volumeClaimTemplates"]
    volumes = {
        "gateway": amount(claim["spec"]["resources"]["requests"]["storage"]),
        "agent": room(case.pod("agent"), "queue"),
    }
    for name, size in volumes.items():
        queue = case.number(name, "QUEUE_BYTES")
        assert 3 * queue * known.file_factor < size, name
        assert 3 * queue <= size * 3 / 4, name
    assert case.said["disk"] < volumes["gateway"]


def test_limits_and_agents_have_what_the_manifests_give_them_or_more(case: Case) -> None:
    for name, container in (
        ("agent", "collector"),
        ("gateway", "collector"),
        ("gateway", "window"),
    ):
        shipped, sized = (resources(Pod(o, name), container) for o in ("production", case.folder))
        pairs = list(zip(sized, shipped, strict=True))[0 if name == "agent" else 2 :]
        assert all(more >= less for more, less in pairs), (name, container)
    queue = int(Pod("production", "agent").environment("collector")["QUEUE_BYTES"])
    assert case.number("agent", "QUEUE_BYTES") >= queue


def test_an_agent_holds_ten_minutes_of_its_node(case: Case, known: Measured) -> None:
    per_second = {
        "traces": case.demand["requests_per_second"] * case.demand["spans_per_request"],
        "logs": case.demand["requests_per_second"] * case.demand["logs_per_request"],
        "metrics": case.said["series"],
    }
    largest = max(rate * known.queue_bytes[signal] for signal, rate in per_second.items())
    assert case.number("agent", "QUEUE_BYTES") >= 600 * largest / case.demand["nodes"]


def test_the_sampling_that_the_sizes_hold_for_is_set(case: Case) -> None:
    given = case.pod("gateway").environment("collector")
    asked = dict(option.split("=") for option in case.options)
    expected = {SAMPLING[name]: value for name, value in asked.items() if name in SAMPLING}
    chosen = {name: given[name].removesuffix("s") for name in SAMPLING.values() if name in given}
    assert chosen == expected
    for user in USERS:
        wait = case.pod("gateway").environment(user).get("TRACE_DECISION_WAIT")
        assert wait == given.get("TRACE_DECISION_WAIT"), user


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Yield where two objects differ; the elements of lists go by their names, if they have any."""
    one, other = by_name(one), by_name(other)
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{place}/{key}")
    elif one != other:
        yield place


def by_name(found: Any) -> Any:
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return {str(item.get("name")): item for item in found}
    return found


def test_nothing_else_changes(case: Case) -> None:
    collector = "/spec/template/spec/containers/collector"
    started = "/spec/template/spec/initContainers"
    claim = "/spec/volumeClaimTemplates/None/spec/resources/requests/storage"
    sampled = ("SAMPLING_WINDOW_FILES", "TRACE_DECISION_WAIT")
    own = ("QUEUE_BYTES", *sampled, "TRACE_SAMPLE_PERCENT", "LOG_SAMPLE_PERCENT")
    allowed = re.compile(
        rf"/spec/replicas|{claim}|{collector}/env/({'|'.join(own)}).*|{collector}/resources/.*"
        rf"|{started}/window(-check)?/env/({'|'.join(sampled)}).*"
        rf"|{started}/window/resources/limits/memory"
        r"|/spec/template/spec/volumes/(window|queue)/emptyDir/sizeLimit"
    )
    places = [(i["kind"], i["metadata"]["name"]) for i in objects("production")]
    assert [(i["kind"], i["metadata"]["name"]) for i in objects(case.folder)] == places
    for mine, theirs in zip(objects(case.folder), objects("production"), strict=True):
        found = list(differences(mine, theirs))
        assert all(allowed.fullmatch(place) for place in found), found


def test_the_patched_objects_fit_the_schema(case: Case) -> None:
    for kind, name in (("StatefulSet", "gateway"), ("DaemonSet", "agent")):
        kubernetes_validate.validate(named(case.folder, kind, name), "1.29", strict=True)


def test_a_storage_class_can_be_named_in_the_printed_claim() -> None:
    """The list of claims is replaced as a whole, so the printed one must be complete."""
    printed = next(yaml.safe_load_all(calculated(*CASES["default"], "--kubernetes")))
    (base,) = named("production", "StatefulSet", "gateway")["spec"]["volumeClaimTemplates"]
    (claim,) = deepcopy(printed["spec"]["volumeClaimTemplates"])
    claim["spec"]["resources"] = base["spec"]["resources"]
    assert bare(claim) == bare(base)


def bare(claim: Object) -> Object:
    return {"name": claim["metadata"]["name"], "spec": claim["spec"]}
