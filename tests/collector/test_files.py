"""Facts about the raw files: what the collector's merging could silently lose."""

from itertools import chain, combinations, product
from pathlib import Path

import pytest
import yaml
from otelcol_runner.configs import list_owners, merged, null_values, read, shared_lists

from stack.paths import COLLECTOR

FOLDERS = ("doors", "infrastructure", "environments", "routes", "backends")
BASE = COLLECTOR / "base.yaml"
FILES = [BASE, *sorted(path for folder in FOLDERS for path in (COLLECTOR / folder).glob("*.yaml"))]
OVERLAYS = sorted((COLLECTOR / "routes").glob("also-*.yaml"))
ROUTES = [path for path in FILES if "otlp_http/logfire" in read(path).get("exporters", {})]
ENVIRONMENTS = sorted((COLLECTOR / "environments").glob("*.yaml"))
DOORS = sorted((COLLECTOR / "doors").glob("*.yaml"))
INFRASTRUCTURE = sorted((COLLECTOR / "infrastructure").glob("*.yaml"))
BACKENDS = sorted((COLLECTOR / "backends").glob("*.yaml"))
TWO_PROJECTS = COLLECTOR / "routes" / "two-projects.yaml"
WITH_PODS = COLLECTOR / "routes" / "with-pods.yaml"
TO_GATEWAY = [COLLECTOR / "routes" / f"{name}.yaml" for name in ("to-gateway", "to-gateways")]
LOADED_TOGETHER = [
    [BASE, *DOORS, *INFRASTRUCTURE, environment, route, TWO_PROJECTS, *OVERLAYS, *BACKENDS]
    for environment, route in product(ENVIRONMENTS, ROUTES)
] + [
    [
        BASE,
        *DOORS,
        *INFRASTRUCTURE,
        COLLECTOR / "environments" / "agent.yaml",
        route,
        WITH_PODS,
        *OVERLAYS,
    ]
    for route in TO_GATEWAY
]


def names(paths: list[Path]) -> str:
    return "+".join(path.stem for path in paths)


@pytest.mark.parametrize("paths", LOADED_TOGETHER, ids=names)
def test_every_list_is_written_by_one_file(paths: list[Path]) -> None:
    assert shared_lists(paths) == {}
    assert len(list_owners(paths)) > 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_key_is_without_a_value(path: Path) -> None:
    assert null_values(path) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_says_in_its_head_what_it_is(path: Path) -> None:
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("paths", LOADED_TOGETHER, ids=names)
def test_every_pipeline_has_receivers_and_exporters_that_are_configured(paths: list[Path]) -> None:
    config = merged(paths)
    known = {*config["receivers"], *config["exporters"], *config["connectors"]}
    for pipeline in config["service"]["pipelines"].values():
        assert {*pipeline["receivers"], *pipeline["exporters"]} <= known
        assert set(pipeline.get("processors", ())) <= config["processors"].keys()


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_an_overlay_only_adds(overlay: Path) -> None:
    others = [read(path) for path in FILES if path != overlay]
    for section, added in read(overlay).items():
        added = added["pipelines"] if section == "service" else added
        taken = chain.from_iterable(
            other.get("service", {}).get("pipelines", {})
            if section == "service"
            else other.get(section, {})
            for other in others
        )
        assert added.keys().isdisjoint(taken)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_an_overlays_pipelines_start_at_a_seam_and_with_batch(overlay: Path) -> None:
    for name, pipeline in read(overlay)["service"]["pipelines"].items():
        signal = name.split("/")[0]
        assert pipeline["receivers"] == [f"forward/{signal}"]
        assert pipeline["processors"][0].startswith("batch")


def test_all_routes_reach_logfire_in_the_same_way() -> None:
    ways = [read(route)["exporters"]["otlp_http/logfire"] for route in ROUTES]
    assert all(one == other for one, other in combinations(ways, 2))


def test_the_second_project_is_reached_like_the_first() -> None:
    second = read(TWO_PROJECTS)["exporters"]["otlp_http/logfire_second"]
    own = {"endpoint", "headers"}
    for route in ROUTES:
        first = read(route)["exporters"]["otlp_http/logfire"]
        assert {k: v for k, v in first.items() if k not in own} == {
            k: v for k, v in second.items() if k not in own
        }


def test_both_routes_to_gateways_send_logs_and_metrics_in_the_same_way() -> None:
    one, several = (read(route) for route in TO_GATEWAY)
    assert one["exporters"]["otlp_grpc/gateway"] == several["exporters"]["otlp_grpc/gateway"]
    of_one, of_several = (route["service"]["pipelines"] for route in (one, several))
    assert {**of_one, "traces/gateway": {}} == {**of_several, "traces/gateway": {}}


def test_what_agents_hand_on_is_scrubbed_as_what_services_send() -> None:
    base, door = read(BASE)["service"]["pipelines"], read(COLLECTOR / "doors" / "agents.yaml")
    for signal in ("traces", "logs", "metrics"):
        processors = door["service"]["pipelines"][f"{signal}/agents"]["processors"]
        others = base[f"{signal}/receive"]["processors"]
        assert processors == [others[0], *others[-(len(processors) - 1) :]]


def components(manifest: Path) -> set[str]:
    sections = ("connectors", "exporters", "extensions", "processors", "receivers", "providers")
    read_in = yaml.safe_load(manifest.read_text())
    return {entry["gomod"] for section in sections for entry in read_in[section]}


def test_the_distribution_for_kubernetes_has_what_the_other_has() -> None:
    folder = COLLECTOR / "distribution"
    more = components(folder / "kubernetes" / "builder.yaml") - components(folder / "builder.yaml")
    assert components(folder / "builder.yaml") < components(folder / "kubernetes" / "builder.yaml")
    assert len(more) == 7


@pytest.mark.parametrize("folder", ["distribution", "distribution/kubernetes"])
def test_the_distribution_builds_what_its_manifest_names(folder: str) -> None:
    home = COLLECTOR / folder
    manifest = yaml.safe_load((home / "builder.yaml").read_text())
    named = components(home / "builder.yaml")
    lock = (home / "go.mod").read_text().splitlines()
    required = {line.strip().removesuffix(" // indirect") for line in lock}
    sources = (home / "components.go").read_text()
    assert named <= required
    assert {f"replace {entry}" for entry in manifest["replaces"]} == {
        line for line in lock if line.startswith("replace ")
    }
    for entry in named:
        module = entry.split()[0]
        assert module in sources + (home / "main.go").read_text()
