import re
from typing import Any

import pytest

from stack.paths import COLLECTOR, ROOT
from stack.pipeline.configs import FORMER, overlay_names, standalone
from stack.standins.logfire import READ_TOKEN
from tests.containers.compose import configuration
from tests.containers.docker import docker
from tests.containers.images import defaults

SECRETS = {
    "LOGFIRE_READ_TOKEN": "secret-of-the-reader",
    "LOGFIRE_TOKEN": "secret-of-logfire",
    "LOGFIRE_TOKEN_SECOND": "secret-of-the-second-project",
    "OTLP_TOKEN": "secret-of-the-receivers",
    "PAGER_WEBHOOK_URL": "https://pager.invalid/secret-of-the-pager",
    "POSTGRES_PASSWORD": "secret-of-postgres",
    "REDIS_PASSWORD": "secret-of-redis",
    "TICKETS_WEBHOOK_URL": "https://tickets.invalid/secret-of-the-tickets",
}
WHO_KNOWS = {
    "LOGFIRE_READ_TOKEN": {"page"},
    "LOGFIRE_TOKEN": {"collector", "overlays"},
    "LOGFIRE_TOKEN_SECOND": {"collector", "overlays"},
    "OTLP_TOKEN": {"api", "collector", "overlays", "worker"},
    "PAGER_WEBHOOK_URL": {"alertmanager"},
    "POSTGRES_PASSWORD": {"api", "collector", "postgres", "worker"},
    "REDIS_PASSWORD": {"api", "collector", "redis", "worker"},
    "TICKETS_WEBHOOK_URL": {"alertmanager"},
}
# The collector's own defaults, with the environment that compose loads last.
COLLECTOR_FILES = [*sorted(COLLECTOR.rglob("*.yaml")), COLLECTOR / "environments/development.yaml"]
DEFAULTS = {
    name: default
    for path in COLLECTOR_FILES
    for name, default in re.findall(r"\$\{env:([A-Z_]+):-([^{}]*)\}", path.read_text())
}
WITHOUT_DIGEST = ("agentical/", "prom/prometheus:")  # built here; no public source has its digest
# The collector's image has no HTTP client; the window's program serves nothing.
NO_HEALTH_CHECK = {"collector", "overlays", "queue-check", "viewer", "window"}


@pytest.fixture(scope="module", autouse=True)
def compose_plugin() -> None:
    docker("compose", "version")


def services(*profiles: str, **settings: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = configuration(*profiles, **settings)["services"]
    return found


def command(**settings: str) -> list[str]:
    parts: list[str] = services(**settings)["collector"]["command"]
    return [part.removeprefix("--config=file:/etc/otelcol/") for part in parts if "=file:" in part]


def overlays(**settings: str) -> str:
    asked: str = services(**settings)["overlays"]["environment"]["OVERLAYS"]
    return asked


def test_every_image_is_pinned_to_a_full_version() -> None:
    python = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.M)

    for image in [*defaults().values(), *python]:
        name, _, digest = image.partition("@")
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z-]+)?$", name), image
        if not name.startswith(WITHOUT_DIGEST):
            assert re.fullmatch("sha256:[0-9a-f]{64}", digest), image


def test_each_secret_is_given_only_to_the_services_that_need_it() -> None:
    for name, value in SECRETS.items():
        found = services("page", **SECRETS)
        holders = {service for service, model in found.items() if value in str(model)}
        assert holders == WHO_KNOWS[name], name


def test_without_a_token_the_guard_sends_to_the_stand_in() -> None:
    guard = services()["guard"]["environment"]

    assert (guard["GUARD_UPSTREAM"], guard["GUARD_TLS"]) == ("", "")
    assert guard["GUARD_STAND_IN"] == "logfire:4320"


def test_with_a_token_the_guard_sends_to_the_service_over_tls() -> None:
    european = services(LOGFIRE_TOKEN="t", LOGFIRE_UPSTREAM="logfire-eu.pydantic.dev:443")
    guard = services(LOGFIRE_TOKEN="t")["guard"]["environment"]

    assert (guard["GUARD_UPSTREAM"], guard["GUARD_TLS"]) == ("logfire-us.pydantic.dev:443", "on")
    assert european["guard"]["environment"]["GUARD_UPSTREAM"] == "logfire-eu.pydantic.dev:443"


def test_the_collector_loads_the_chosen_files() -> None:
    assert command() == loaded("development", "hybrid")
    chosen = command(ENVIRONMENT="production", ROUTE="logfire-only")
    assert chosen == loaded("production", "logfire-only")
    without = command(ENVIRONMENT="production", SAMPLING_WINDOW="none")
    assert set(chosen) - set(without) == {"window/production.yaml", "routes/logfire-only.yaml"}
    assert "window/none.yaml" in without


def loaded(environment: str, route: str) -> list[str]:
    merged = "--config=file:/var/lib/otelcol/overlays/merged.yaml"
    return [*(f"{name}.yaml" for name in standalone(environment, route)), merged]


def test_several_overlays_are_added_by_one_variable() -> None:
    assert overlay_names(overlays(), {}) == ()
    assert overlay_names(overlays(OVERLAYS="token, tenant"), {}) == ("token", "tenant")


def test_one_variable_enables_the_viewer_and_its_overlay() -> None:
    assert "viewer" not in services()
    assert "viewer" in services(COMPOSE_PROFILES="also-viewer")
    environment = services(COMPOSE_PROFILES="also-viewer")["overlays"]["environment"]
    assert environment["COMPOSE_PROFILES"] == "also-viewer"  # merge.py adds the overlay


def test_the_page_reads_the_stand_in_until_it_is_given_another_place() -> None:
    assert "page" not in services()
    default = services(COMPOSE_PROFILES="page")["page"]["environment"]
    endpoint, token = "https://logfire-eu.pydantic.dev", "token-of-a-project"
    settings = {"LOGFIRE_QUERY_ENDPOINT": endpoint, "LOGFIRE_READ_TOKEN": token}
    given = services("page", **settings, API_PORT="8080")["page"]["environment"]

    assert default["LOGFIRE_QUERY_ENDPOINT"] == "http://logfire:4320"
    assert default["LOGFIRE_READ_TOKEN"] == READ_TOKEN
    assert {name: given[name] for name in settings} == settings
    assert given["API_URL"] == "http://127.0.0.1:8080"  # for a link in the browser


def test_every_service_has_limits_and_a_health_check() -> None:
    for name, service in services("also-viewer", "page").items():
        assert int(service["mem_limit"]) > 0, name
        assert ("healthcheck" in service) == (name not in NO_HEALTH_CHECK), name


def test_producers_get_the_token_that_the_overlay_requires() -> None:
    found = services(OVERLAYS="token", OTLP_TOKEN="t0ken")

    assert found["collector"]["environment"]["OTLP_TOKEN"] == "t0ken"
    for name in ("api", "worker"):
        headers = found[name]["environment"]["OTEL_EXPORTER_OTLP_HEADERS"]
        assert headers == "Authorization=Bearer%20t0ken"
    assert services()["api"]["environment"]["OTEL_EXPORTER_OTLP_HEADERS"] == ""


def test_a_proxy_is_used_towards_the_internet_only() -> None:
    found = services(
        "also-viewer", "page", HTTPS_PROXY="http://proxy.invalid:3128", NO_PROXY="mine.invalid"
    )
    users = {name for name, one in found.items() if one.get("environment", {}).get("HTTPS_PROXY")}
    assert users == {"alertmanager", "guard", "page"}
    for name in users:
        kept = set(found[name]["environment"]["NO_PROXY"].split(","))
        assert kept >= {"logfire", "prometheus", "alertmanager", "recorder", "mine.invalid"}
    page = found["page"]["environment"]
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):  # an empty one would hide the other
        assert page[name.lower()] == (page[name] or "")
    # Docker's own configuration may set one: each service with a client or a health check is told.
    deaf = {"overlays", "queue-check", "postgres", "redis", "viewer", "window"}
    for name in set(found) - users - deaf:
        assert found[name]["environment"]["http_proxy"] == "", name


def test_every_variable_is_explained_in_the_example_with_its_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    used = dict(re.findall(r"(?<!\$)\$\{([A-Z_]+)(?::[-+]([^{}]*))?\}", text))
    used |= dict(re.findall(r"\$\{([A-Z_]+):-\$\{[A-Z_]+:-([^{}]*)\}\}", text))
    used |= dict(re.findall(r"\$\{LOGFIRE_TOKEN:\+\$\{([A-Z_]+):-([^{}]*)\}\}", text))
    passed_on = re.findall(r"^(?:  |      )([A-Z_]+):(?: #.*)?$", text, re.M)
    used |= {name: DEFAULTS.get(name, "") for name in passed_on}
    explained = dict(re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M))

    not_for_env = {"PYTHON_IMAGE", "LOGFIRE_TOKEN", "COMPOSE_PROFILES", *FORMER}
    assert used.keys() - not_for_env == explained.keys() - not_for_env
    for name, default in used.items():
        if not name.endswith("_IMAGE") and name not in not_for_env:
            assert explained[name] == default, name
