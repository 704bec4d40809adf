"""The raw files: what the collector's merging could silently lose."""

import re
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from otelcol_runner.configs import list_owners, merged, null_values, read, shared_lists

from bench.redaction.stage import SHARED, STAGE
from stack.paths import COLLECTOR
from stack.pipeline.configs import STAGES
from tests.support.pipeline import files

FOLDERS = (
    *("agents", "backends", "environments", "gateways"),
    *("infrastructure", "overlays", "routes", "window"),
)
ROOM = {folder: sorted((COLLECTOR / folder).glob("*.yaml")) for folder in FOLDERS}
STAGE_FILES = [COLLECTOR / f"{name}.yaml" for name in STAGES]
FILES = [*STAGE_FILES, *chain(*ROOM.values())]
ADDITIVE = [path for path in ROOM["overlays"] if path.stem.startswith("also-")]
AGENT = COLLECTOR / "environments" / "agent.yaml"
WITH_PODS = COLLECTOR / "agents" / "with-pods.yaml"
AGENT_ROUTES = [path for path in ROOM["agents"] if path != WITH_PODS]
BEFORE = [*STAGE_FILES, *ROOM["infrastructure"]]
TWO_PROJECTS = COLLECTOR / "overlays" / "two-projects.yaml"


def overlays_for(route: Path) -> list[Path]:
    """Return the compatible ones: two projects need a route that sends traces to the first."""
    fits = "traces/logfire" in read(route)["service"]["pipelines"]
    return [path for path in ROOM["overlays"] if fits or path != TWO_PROJECTS]


# Each with the file of the sampling window that follows it.
ENVIRONMENTS = [
    [path, *(window for window in ROOM["window"] if window.stem == path.stem)]
    for path in ROOM["environments"]
]
LOADED_TOGETHER = [
    [*BEFORE, *ROOM["backends"], *ROOM["gateways"], *environment, route, *overlays_for(route)]
    for environment, route in product(ENVIRONMENTS, ROOM["routes"])
] + [[*BEFORE, AGENT, route, WITH_PODS, *ADDITIVE] for route in AGENT_ROUTES]
SIGNALS = ("traces", "logs", "metrics")
# An attribute that a statement copies, and when; those that the scrub stage sets itself exist.
COPIED = re.compile(r'set\([^,]+, (\w+\.attributes\["(?!scrub\.)[^"]+"\])\)(.*)')
NOT_LOADED = {"distribution", "secrets"}  # what the collector and scrub.yaml are made of


def names(paths: list[Path]) -> str:
    return "+".join(path.stem for path in paths)


@pytest.mark.parametrize("paths", LOADED_TOGETHER, ids=names)
def test_every_list_is_written_by_one_file(paths: list[Path]) -> None:
    shared = shared_lists(paths)
    assert not shared, f"the later file replaces the list: write it in one file only: {shared}"
    assert len(list_owners(paths)) > 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_key_is_null(path: Path) -> None:
    nulls = null_values(path)
    assert not nulls, f"a null deletes what earlier files set: give these keys a value: {nulls}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_missing_attribute_is_copied(path: Path) -> None:
    for statement in statements(read(path)):
        if copied := COPIED.match(statement):
            value, where = copied.groups()
            known = f"{value} != nil", f"IsMatch({value}, ", f"IsString({value})"
            assert any(check in where for check in known), (
                f"OTTL's set() would write an empty value: add `where {known[0]}` to {statement}"
            )


def statements(part: Any) -> Iterator[str]:
    """Yield each text below a part of a file."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list | dict):
        for item in part.values() if isinstance(part, dict) else part:
            yield from statements(item)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_starts_with_a_comment_on_its_purpose(path: Path) -> None:
    assert path.read_text().startswith("# ")


def test_every_file_is_in_a_folder_whose_lists_are_checked() -> None:
    found = {path for path in COLLECTOR.rglob("*.yaml") if not NOT_LOADED & set(path.parts)}
    assert found - set(FILES) == {COLLECTOR / "kustomization.yaml"}


@pytest.mark.parametrize("path", ROOM["overlays"], ids=lambda path: path.stem)
def test_an_overlay_states_the_name_that_loads_it(path: Path) -> None:
    assert path.read_text().startswith(f"# OVERLAYS={path.stem}: ")


@pytest.mark.parametrize("paths", LOADED_TOGETHER, ids=names)
def test_every_pipeline_uses_configured_receivers_and_exporters(paths: list[Path]) -> None:
    config = merged(paths)
    known = {*config["receivers"], *config["exporters"], *config["connectors"]}
    for pipeline in config["service"]["pipelines"].values():
        assert {*pipeline["receivers"], *pipeline["exporters"]} <= known
        assert set(pipeline.get("processors", ())) <= config["processors"].keys()


@pytest.mark.parametrize("overlay", ADDITIVE, ids=lambda path: path.stem)
def test_an_additive_overlay_only_adds(overlay: Path) -> None:
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


@pytest.mark.parametrize("overlay", ADDITIVE, ids=lambda path: path.stem)
def test_an_additive_overlays_pipelines_start_at_a_seam_and_with_batch(overlay: Path) -> None:
    for name, pipeline in read(overlay)["service"]["pipelines"].items():
        signal = name.split("/")[0]
        assert pipeline["receivers"] == [f"forward/{signal}"]
        assert pipeline["processors"][0].startswith("batch")


def test_backend_files_define_exporters_and_no_pipelines() -> None:
    for backend in ROOM["backends"]:
        assert "service" not in read(backend)
        for exporter in read(backend)["exporters"]:
            routes = [read(path).get("exporters", {}) for path in ROOM["routes"]]
            assert not [route for route in routes if exporter in route]


def test_the_second_project_is_reached_like_the_first() -> None:
    first = read(COLLECTOR / "backends/logfire.yaml")["exporters"]["otlp_http/logfire"]
    second = read(TWO_PROJECTS)["exporters"]["otlp_http/logfire_second"]
    own = {"endpoint", "headers"}
    assert {k: v for k, v in first.items() if k not in own} == {
        k: v for k, v in second.items() if k not in own
    }


def test_both_routes_to_gateways_send_logs_and_metrics_in_the_same_way() -> None:
    one, several = (
        read(COLLECTOR / "agents" / f"{name}.yaml") for name in ("to-gateway", "to-gateways")
    )
    assert one["exporters"]["otlp_grpc/gateway"] == several["exporters"]["otlp_grpc/gateway"]
    of_one, of_several = (route["service"]["pipelines"] for route in (one, several))
    assert {**of_one, "traces/gateway": {}} == {**of_several, "traces/gateway": {}}


@pytest.mark.parametrize(
    "path",
    [STAGE_FILES[0], *ROOM["gateways"], COLLECTOR / "window" / "production.yaml"],
    ids=lambda path: path.stem,
)
def test_every_receiver_feeds_the_memory_limiter_and_the_scrubbing(path: Path) -> None:
    """Only the stages, and infrastructure, which sends only numbers and names, may feed a seam."""
    before_the_scrubbing = {
        "traces": ["memory_limiter", "transform/expose_shared"],
        "logs": ["memory_limiter"],
        "metrics": ["memory_limiter"],
    }
    unscrubbed = {
        "traces": "forward/spans",
        "logs": "forward/received_logs",
        "metrics": "forward/received_metrics",
    }
    config = read(path)
    for name, pipeline in config["service"]["pipelines"].items():
        if not {*pipeline["receivers"]} & config["receivers"].keys():
            continue
        signal = name.split("/")[0]
        expected = before_the_scrubbing[signal]
        if path in ROOM["window"]:  # what is replayed has passed the others
            expected = ["memory_limiter"]
        assert pipeline["processors"][: len(expected)] == expected, name
        assert unscrubbed[signal] in pipeline["exporters"], name
        assert f"forward/{signal}" not in pipeline["exporters"], name


def test_all_signals_are_scrubbed_by_the_same_processors() -> None:
    pipelines = merged(files(["routes/hybrid"]))["service"]["pipelines"]
    stages = [pipelines[f"{signal}/scrub"]["processors"] for signal in SIGNALS]
    traces, logs, metrics = stages
    assert traces[:-1] == logs == metrics
    assert logs == [name for name in STAGE if name != SHARED]


def components(manifest: Path) -> set[str]:
    sections = ("connectors", "exporters", "extensions", "processors", "receivers", "providers")
    read_in = yaml.safe_load(manifest.read_text())
    return {entry["gomod"] for section in sections for entry in read_in[section]}


def test_the_kubernetes_distribution_has_every_default_component() -> None:
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


# The keys in use of HTTP clients and servers, at any depth. Others are ignored (core #15907).
HTTP_KEYS = {
    *(
        "endpoint",
        "transport",
        "headers",
        "Authorization",
        "X-Scope-OrgID",
        "timeout",
        "tls",
        "auth",
    ),
    *("authenticator", "compression", "compression_algorithms", "max_request_body_size", "cors"),
    *("allowed_origins", "allowed_headers", "max_age", "read_header_timeout", "read_timeout"),
    *("cert_file", "key_file", "client_ca_file", "insecure", "min_version", "include_metadata"),
    *("retry_on_failure", "enabled", "initial_interval", "max_interval", "max_elapsed_time"),
    *("sending_queue", "storage", "sizer", "queue_size", "block_on_overflow", "num_consumers"),
    *("batch", "flush_timeout", "min_size", "max_size", "reload_interval"),
}


def test_http_settings_have_no_unknown_key() -> None:
    found = dict[str, set[str]]()
    for path in FILES:
        config = read(path)
        parts = [
            each
            for name, each in config.get("exporters", {}).items()
            if name.partition("/")[0] == "otlp_http"
        ] + [
            each["protocols"]["http"]
            for name, each in config.get("receivers", {}).items()
            if name.partition("/")[0] == "otlp" and "http" in each.get("protocols", {})
        ]
        found[path.stem] = set(chain.from_iterable(map(keys_in, parts))) - HTTP_KEYS
    assert len(found) > 20
    assert not any(found.values()), found


def keys_in(value: object) -> Iterator[str]:
    """Yield the keys of maps within maps."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_in(inner)
