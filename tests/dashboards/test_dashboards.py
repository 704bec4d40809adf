"""What every dashboard and every panel must have, read from the committed JSON."""

import json
import re
from itertools import combinations
from urllib.parse import urlsplit

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.generate import in_sight
from stack.paths import PROMETHEUS, ROOT
from tests.dashboards.reading import (
    ALERTS,
    ALL,
    BOARDS,
    Part,
    alerts_of,
    defaults,
    each_panel,
    panels,
    read,
)

NAMES = {alert["name"] for alert in ALERTS}
TITLES = {
    "agentical-overview": "Agentical Infrastructure Overview",
    "agentical-application": "Application",
    "agentical-databases": "Databases",
    "agentical-kubernetes": "Kubernetes",
    "agentical-slos": "SLOs",
    "agentical-collector": "Collector",
    "agentical-trends": "Trends",
}
TO_BOARD = re.compile(
    r"/d/([\w-]+)\?\$\{job:queryparam\}&\$\{instance:queryparam\}&\$\{__url_time_range\}"
)


def overlap(one: Part, other: Part) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    return not beside and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]


def test_each_dashboard_fits_grafanas_schema() -> None:
    register_default_plugins()
    for path in ALL:
        model = json.dumps(Dashboard.from_json(read(path)), cls=JSONEncoder)
        assert json.loads(model, object_hook=in_sight) == read(path), path


def test_the_dashboards_are_classic_json_with_the_uids_that_alerts_link_to() -> None:
    assert {uid: board["title"] for uid, board in BOARDS.items()} == TITLES
    for uid, board in BOARDS.items():
        assert board["schemaVersion"] <= 42, uid
        assert not board["editable"], uid
        names = [variable["name"] for variable in board["templating"]["list"]]
        assert names[:2] == ["job", "instance"], uid


def test_ids_and_titles_are_unique_and_no_panels_overlap() -> None:
    for uid, board in BOARDS.items():
        for one, other in combinations(board["panels"], 2):
            assert one["id"] != other["id"], (uid, one["title"])
            assert one["title"] != other["title"], (uid, one["title"])
            assert not overlap(one, other), (uid, one["title"], other["title"])
        assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in board["panels"]), uid


def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    for place, panel in each_panel():
        assert re.fullmatch(r"[A-Z].{10,}\.", panel["description"]), place
        assert panel["title"], place
        assert panel["fieldConfig"]["defaults"]["unit"], place
        assert panel["targets"], place
        assert all(part["datasource"]["uid"] == "prometheus" for part in [panel, *panel["targets"]])


def test_a_panel_with_an_alert_has_the_unit_of_its_threshold() -> None:
    units = {"ratio": "percentunit", "seconds": "s", "bytes": "bytes"}
    for place, panel in each_panel():
        asked = [alert.get("prometheus") or alert["logfire"] for alert in alerts_of(panel)]
        for unit in {alert.get("unit") for alert in asked} & units.keys():
            assert defaults(panel)["unit"] == units[unit], place


def test_graphs_start_at_zero_and_have_room_below_it() -> None:
    for place, panel in each_panel():
        assert "min" not in defaults(panel), place
        assert panel["type"] != "timeseries" or defaults(panel)["custom"]["axisSoftMin"] == 0, place


def test_a_panel_without_data_says_why_and_names_variables_and_pages_that_exist() -> None:
    variables = (ROOT / "docs" / "variables.md").read_text()
    for place, panel in each_panel():
        said = defaults(panel)["noValue"]
        assert re.fullmatch(r"[A-Z].{10,90}\.", said), place
        for name in re.findall(r"\b[A-Z]{3,}[A-Z_]*\b", said):
            assert f"`{name}`" in variables, (place, name)
        for page in re.findall(r"\bdocs/[\w/.-]+\.md\b", said):
            assert (ROOT / page).is_file(), (place, page)


def test_drill_down_links_pass_variables_and_time() -> None:
    for uid, board in BOARDS.items():
        for panel in panels(board):
            urls = [link["url"] for link in panel["fieldConfig"]["defaults"]["links"]]
            (found,) = filter(None, map(TO_BOARD.fullmatch, urls))
            assert found[1] in BOARDS.keys() - {uid}, (uid, panel["title"])


def test_the_links_at_the_top_lead_to_every_dashboard() -> None:
    for uid, board in BOARDS.items():
        (others,) = [link for link in board["links"] if link["type"] == "dashboards"]
        assert set(others["tags"]) <= set(board["tags"]), uid
        assert others["includeVars"], uid
        assert others["keepTime"], uid


def test_the_overview_shows_memory_in_mb_as_its_title_says() -> None:
    overview = {panel["title"]: panel for panel in panels(BOARDS["agentical-overview"])}
    memory = overview["Memory usage (MB)"]

    assert memory["fieldConfig"]["defaults"]["unit"] == "mbytes"
    assert all(target["expr"].endswith("/ 1024 / 1024") for target in memory["targets"])


def test_every_alert_links_to_a_dashboard_that_has_variables_for_its_labels() -> None:
    for path in (PROMETHEUS / "rules").rglob("*.yml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in (rule for rule in group["rules"] if rule.get("alert") in NAMES):
                url = urlsplit(rule["annotations"]["dashboard_url"])
                board = BOARDS[url.path.removeprefix("/d/")]
                known = {variable["name"] for variable in board["templating"]["list"]}
                (passed,) = re.findall(r"\^\(([\w|]+)\)\$", url.query)
                grouped = ",".join(re.findall(r"by \(([^)]*)\)", rule["expr"]))
                carried = {"job", "instance", *re.findall(r"\w+", grouped)}
                assert carried & set(passed.split("|")) <= known, rule["alert"]
