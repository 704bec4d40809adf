"""docker-compose.yml as it is written, for every service and profile."""

import re
from typing import Any

import pytest
import yaml

from stack.paths import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
# The secrets of each service; a variable that looks like one and is missing here fails the test.
NEED = {
    "LOGFIRE_READ_TOKEN": {"page"},
    "LOGFIRE_TOKEN": {"collector", "overlays"},
    "LOGFIRE_TOKEN_SECOND": {"collector", "overlays"},
    "OTLP_TOKEN": {"api", "collector", "overlays", "worker"},
    "POSTGRES_PASSWORD": {"api", "collector", "postgres", "worker"},
    "PROMETHEUS_AUTHORIZATION": {"collector", "overlays"},
    "PROMETHEUS_BASIC_CREDENTIALS": {"collector", "overlays"},
    "PROMETHEUS_BEARER_TOKEN": {"collector", "overlays"},
    "REDIS_PASSWORD": {"api", "collector", "redis", "worker"},
}
# ${NAME}, ${NAME:-default} and ${NAME:?error} give the value; ${NAME:+other} does not.
VALUE = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?::?[-?][^{}]*)?\}")
SECRET = re.compile("TOKEN|PASSWORD|SECRET|KEY|CREDENTIAL|AUTHORIZATION")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_privileges_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "docker.sock" not in str(service)
    assert service.keys().isdisjoint(
        {"pid", "ipc", "userns_mode", "devices", "device_cgroup_rules"}
    )
    assert service.get("network_mode") in (None, "none")
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "guard" else [])
    assert service.get("user") not in ("root", "0")


def test_a_service_can_write_only_to_its_own_volume() -> None:
    mounts = [
        (name, volume)
        for name, service in SERVICES.items()
        for volume in service.get("volumes", ())
    ]
    from_the_host = [(name, volume) for name, volume in mounts if volume.startswith((".", "$"))]
    assert len(from_the_host) == 13
    for name, volume in from_the_host:
        # With z, SELinux relabels the source: never the machine's file system.
        whole_machine = volume == "${HOST_FILESYSTEM:-/}:/hostfs:ro"
        assert volume.endswith(":ro,z") or whole_machine, name


def test_the_collectors_memory_holds_the_sampling_window_beside_the_limiters_limit() -> None:
    collector = SERVICES["collector"]
    (files,) = re.findall(r"\d+", collector["environment"]["SAMPLING_WINDOW_FILES"])
    window = (int(files) + 2) * 16
    volume = yaml.safe_load(TEXT)["volumes"]["window"]["driver_opts"]
    assert (volume["type"], volume["device"]) == ("tmpfs", "tmpfs")
    assert volume["o"] == f"size={window}m,uid=10001,gid=10001,mode=0700"
    for name in ("collector", "queue-check", "window"):
        folder = SERVICES[name]["environment"]["SAMPLING_WINDOW_DIR"]
        assert f"window:{folder}" in SERVICES[name]["volumes"], name
    assert collector["mem_limit"] == "2048m"
    assert limiter_share() * 2048 + window <= 2048


def limiter_share() -> float:
    """Return the part of its memory that the memory limiter lets the collector use."""
    base = yaml.safe_load((ROOT / "collector" / "base.yaml").read_text())
    return float(base["processors"]["memory_limiter"]["limit_percentage"]) / 100


def test_a_service_that_is_checked_first_has_no_network() -> None:
    # It is given secrets.
    assert SERVICES["overlays"]["network_mode"] == "none"
    assert "ports" not in SERVICES["overlays"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+", port)


def test_a_secret_is_given_only_to_those_who_need_it() -> None:
    found: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for variable in VALUE.findall(str(service)):
            if SECRET.search(variable):
                found.setdefault(variable, set()).add(name)
    assert found == NEED


def test_no_secret_is_written_into_the_file_or_onto_a_command_line() -> None:
    defaults = re.findall(r"\$\{([A-Z_]+):-([^{}]+)\}", TEXT)
    written = {name: default for name, default in defaults if SECRET.search(name)}
    # Not secret, and reachable only inside the compose network.
    assert written == {
        "LOGFIRE_READ_TOKEN": "local-read-token",
        "LOGFIRE_TOKEN": "local-write-token",
        "LOGFIRE_TOKEN_SECOND": "local-write-token",
        "POSTGRES_PASSWORD": "local-password",
    }
    assert not {"postgres", "redis"} & {n for n, s in SERVICES.items() if "ports" in s}
    for service in SERVICES.values():
        asked = str([service.get(key) for key in ("command", "entrypoint", "healthcheck")])
        assert not [name for name in VALUE.findall(asked) if SECRET.search(name)]


def test_grafana_has_no_login_and_prometheus_no_admin_api() -> None:
    grafana, prometheus = SERVICES["grafana"]["environment"], SERVICES["prometheus"]["command"]
    assert grafana["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert grafana["GF_AUTH_BASIC_ENABLED"] == "false"
    assert grafana["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert grafana["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "${GRAFANA_ROLE:-Viewer}"
    assert not [name for name in grafana if "PASSWORD" in name]
    assert not {"--web.enable-admin-api", "--web.enable-lifecycle"} & set(prometheus)
