import re
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from stack.paths import GRAFANA, ROOT
from tests.dashboards.reading import BOARDS

PROVISIONING = GRAFANA / "provisioning"


class Strict(BaseModel):
    """A part of Grafana's provisioning files; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class ExemplarLink(Strict):
    name: str
    url: str
    url_display_label: str


class PrometheusSettings(Strict):
    http_method: Literal["POST", "GET"]
    prometheus_type: Literal["Prometheus", "Mimir", "Cortex", "Thanos"]
    time_interval: str
    manage_alerts: bool
    alertmanager_uid: str
    exemplar_trace_id_destinations: list[ExemplarLink]


class AlertmanagerSettings(Strict):
    implementation: Literal["prometheus", "mimir", "cortex"]
    handle_grafana_managed_alerts: bool


class Source(Strict):
    name: str
    uid: str
    type: Literal["prometheus", "alertmanager"]
    access: Literal["proxy"]
    url: str
    is_default: bool = False
    editable: bool
    json_data: PrometheusSettings | AlertmanagerSettings


class Sources(Strict):
    api_version: Literal[1]
    datasources: list[Source]


class Options(Strict):
    path: str


class Provider(Strict):
    name: str
    type: Literal["file"]
    folder: str
    folder_uid: str
    allow_ui_updates: bool
    update_interval_seconds: int
    options: Options


class Providers(Strict):
    api_version: Literal[1]
    providers: list[Provider]


def sources() -> dict[str, Source]:
    text = (PROVISIONING / "datasources" / "datasources.yaml").read_text()
    return {
        source.uid: source for source in Sources.model_validate(yaml.safe_load(text)).datasources
    }


def grafana_service() -> dict[str, Any]:
    model = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    found: dict[str, Any] = model["services"]["grafana"]
    return found


def filled_in(text: str, variables: dict[str, str]) -> str:
    """Fill in variables as Grafana does: `$$` is a dollar, `${NAME}` and `$NAME` a variable."""
    pattern = r"\$\$|\$\{([^}]*)\}|\$(\w+)"
    return re.sub(pattern, lambda m: "$" if m[0] == "$$" else variables.get(m[1] or m[2], ""), text)


def test_both_sources_have_the_uids_that_dashboards_and_alerts_use() -> None:
    assert {uid: source.type for uid, source in sources().items()} == {
        "prometheus": "prometheus",
        "alertmanager": "alertmanager",
    }


def test_grafanas_alerting_pages_show_prometheus_rules_and_alertmanagers_silences() -> None:
    prometheus, alertmanager = (sources()[uid].json_data for uid in ("prometheus", "alertmanager"))
    assert isinstance(prometheus, PrometheusSettings)
    assert isinstance(alertmanager, AlertmanagerSettings)

    assert prometheus.manage_alerts
    assert sources()[prometheus.alertmanager_uid].type == "alertmanager"
    assert alertmanager.implementation == "prometheus"


def exemplar_link(project: str) -> str:
    """Return the URL of an exemplar's link, with Grafana's placeholders."""
    settings = sources()["prometheus"].json_data
    assert isinstance(settings, PrometheusSettings)
    (link,) = settings.exemplar_trace_id_destinations
    assert link.name == "trace_id"
    return filled_in(link.url, {"LOGFIRE_PROJECT_URL": project})


def test_a_click_on_an_exemplar_opens_its_trace_in_logfire() -> None:
    assert exemplar_link("https://logfire-us.pydantic.dev/org/project") == (
        "https://logfire-us.pydantic.dev/org/project"
        "?q=trace_id%3D%27${__value.raw}%27&traceId=${__value.raw}&last=30d"
    )


def test_the_dashboards_folder_is_loaded() -> None:
    text = (PROVISIONING / "dashboards" / "dashboards.yaml").read_text()
    (provider,) = Providers.model_validate(yaml.safe_load(text)).providers
    variables = grafana_service()["environment"]
    mounts = dict(mount.split(":")[:2] for mount in grafana_service()["volumes"])

    assert filled_in(provider.options.path, variables) == mounts["./grafana/generated"]
    assert provider.folder_uid == "agentical"


def test_compose_gives_every_variable_that_the_files_read() -> None:
    text = "".join(path.read_text() for path in PROVISIONING.rglob("*.yaml"))
    read = set(re.findall(r"(?<!\$)\$\{(\w+)\}", text))

    assert read <= grafana_service()["environment"].keys()


def test_every_file_and_dashboard_that_the_pages_name_is_there() -> None:
    for page in ("links.md", "which-tool.md"):
        text = (ROOT / "docs" / page).read_text()
        for path in re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.[a-z]+)`", text):
            assert (ROOT / path).is_file(), (page, path)
        for name in re.findall(r"\]\(([\w-]+\.md)\)", text):
            assert (ROOT / "docs" / name).is_file(), (page, name)


def test_the_page_of_questions_leads_to_every_dashboard() -> None:
    text = (ROOT / "docs" / "which-tool.md").read_text()
    for board in BOARDS.values():
        assert f"*{board['title']}*" in text, board["title"]
