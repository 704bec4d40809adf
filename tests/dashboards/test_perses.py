"""The committed dashboards of the page say what Grafana's say: both are compared as files."""

import json
from collections.abc import Callable
from itertools import combinations, pairwise
from typing import Any

import pytest

from stack.paths import ROOT
from tests.dashboards.reading import BOARDS, Part, defaults, panels

FILES = sorted((ROOT / "view" / "generated").glob("*.json"))
PAGES: dict[str, Part] = {
    page["metadata"]["name"]: page for page in (json.loads(path.read_text()) for path in FILES)
}
KINDS = {"timeseries": "TimeSeriesChart", "stat": "StatChart", "table": "LabelTable"}
UNITS = {
    "percentunit": "percent-decimal",
    "s": "seconds",
    "d": "days",
    "bytes": "bytes",
    "Bps": "bytes/sec",
}
# Perses has no suffixes: these are in the panels' titles.
NUMBERS = {
    *("alerts", "changes", "connections", "cores", "deadlocks", "items", "items/s", "keys"),
    *("keys/s", "locks", "mbytes", "ops", "packets/s", "pods", "reqps", "restarts", "rows/s"),
    *("short", "spans/s", "tasks", "tasks/s", "traces", "x"),
}
COLOURS = {"green": "#3D9A50", "orange": "#E8820C", "red": "#D32F2F"}
WORSE = {("green", "orange"): "orange", ("green", "red"): "red", ("orange", "red"): "red"}
FIRST_RANGES = {"now-1h": "15m", "now-7d": "7d", "now-30d": "30d"}
TIME = "from=$__from&to=$__to"
JOB, INSTANCE = "var-job=${job:percentencode}", "var-instance=${instance:percentencode}"


def items(page: Part) -> list[list[Part]]:
    """Return the places of the panels, a list for each group, as they are read."""
    groups = [layout["spec"]["items"] for layout in page["spec"]["layouts"]]
    return [sorted(group, key=lambda one: (one["y"], one["x"])) for group in groups]


def shown(page: Part) -> list[Part]:
    """Return the panels as they are read."""
    found = page["spec"]["panels"]
    return [
        found[one["content"]["$ref"].removeprefix("#/spec/panels/")]["spec"]
        for group in items(page)
        for one in group
    ]


def in_order(board: Part) -> list[Part]:
    found: list[Part] = sorted(
        board["panels"], key=lambda one: (one["gridPos"]["y"], one["gridPos"]["x"])
    )
    return found


def pairs() -> list[tuple[str, Part, Part]]:
    """Return each panel of Grafana with the one at the same place of the page."""
    return [
        (f"{uid}, {panel['title']!r}", panel, other)
        for uid, board in BOARDS.items()
        for panel, other in zip(panels({"panels": in_order(board)}), shown(PAGES[uid]), strict=True)
    ]


def test_each_dashboard_has_the_panels_of_grafanas_in_the_same_rows() -> None:
    assert PAGES.keys() == BOARDS.keys()
    for uid, board in BOARDS.items():
        spec = PAGES[uid]["spec"]
        assert spec["display"] == {"name": board["title"], "description": board["description"]}
        assert spec["duration"] == FIRST_RANGES[board["time"]["from"]]
        rows: list[tuple[str, list[str]]] = []
        for panel in in_order(board):
            if panel["type"] == "row":
                rows.append((panel["title"], []))
            else:
                rows[-1][1].append(panel["title"])
        names = iter(one["display"]["name"] for one in shown(PAGES[uid]))
        groups = [layout["spec"]["display"]["title"] for layout in spec["layouts"]]
        sizes = [len(group) for group in items(PAGES[uid])]
        found = [
            (title, [next(names) for _ in range(size)])
            for title, size in zip(groups, sizes, strict=True)
        ]
        assert found == rows
        assert len(spec["panels"]) == sum(sizes)


def test_no_panel_overlaps_another_or_leaves_the_grid() -> None:
    for uid, page in PAGES.items():
        widths = [panel["gridPos"]["w"] for panel in panels({"panels": in_order(BOARDS[uid])})]
        assert [one["width"] for group in items(page) for one in group] == widths
        for group in items(page):
            assert group[0]["y"] == 0
            assert all(one["x"] >= 0 and one["x"] + one["width"] <= 24 for one in group)
            # A smaller number does not fit its title.
            assert all(one["height"] >= 5 for one in group)
            for one, other in combinations(group, 2):
                beside = one["x"] + one["width"] <= other["x"]
                beside |= other["x"] + other["width"] <= one["x"]
                assert beside or one["y"] + one["height"] <= other["y"], (uid, one, other)


def words(panel: Part) -> Part:
    return {"name": panel["title"], "description": panel["description"]}


def queries(panel: Part) -> list[tuple[str, str, str]]:
    """Return the kind, the expression and the legend of each query."""
    return [
        ("PrometheusExemplarQuery", one["expr"], "")
        if one.get("exemplar")
        else ("PrometheusTimeSeriesQuery", one["expr"], one.get("legendFormat") or "")
        for one in panel["targets"]
    ]


def asked(other: Part) -> list[tuple[str, str, str]]:
    plugins = [one["spec"]["plugin"] for one in other["queries"]]
    assert all(one["spec"]["datasource"]["kind"] == "PrometheusDatasource" for one in plugins)
    return [
        (one["kind"], one["spec"]["query"], one["spec"].get("seriesNameFormat", ""))
        for one in plugins
    ]


def chart(other: Part) -> Part:
    found: Part = other["plugin"]["spec"]
    return found


def unit(panel: Part) -> str | None:
    if panel["type"] == "table":
        return None
    named = defaults(panel)["unit"]
    return UNITS.get(named) or dict.fromkeys(NUMBERS, "decimal")[named]


def drawn_unit(other: Part) -> str | None:
    spec = chart(other)
    found: Part = spec.get("format") or spec.get("yAxis", {}).get("format", {})
    return found.get("unit")


def calculation(panel: Part) -> str | None:
    if panel["type"] != "stat":
        return None
    (one,) = panel["options"]["reduceOptions"]["calcs"]
    return {"lastNotNull": "last-number"}[one]


def levels(panel: Part) -> Part | None:
    """Return the thresholds: a number's by their bands, a graph's lines by the worse side."""
    steps = defaults(panel)["thresholds"]["steps"]
    if len(steps) == 1:
        return None
    if panel["type"] == "stat":
        bands = [{"value": one["value"], "color": COLOURS[one["color"]]} for one in steps]
        return {"defaultColor": bands[0]["color"], "steps": bands[1:]}
    lines = []
    for below, above in pairwise(steps):
        first, second = sorted((below["color"], above["color"]))
        lines.append({"value": above["value"], "color": COLOURS[WORSE[first, second]]})
    return {"steps": lines}


def links(panel: Part) -> list[tuple[str, str]]:
    """Return the links to dashboards and, in place of those to Logfire, to the page's traces."""
    found = []
    for one in defaults(panel)["links"]:
        path = one["url"].partition("?")[0]
        if path.startswith("/d/"):
            assert path.removeprefix("/d/") in PAGES
            found.append((one["title"], f"{path}?{JOB}&{INSTANCE}&{TIME}"))
        elif path == "${logfire:raw}":
            found.append(("Open the traces of the service", f"/traces?{JOB}&{TIME}"))
    return found


def hidden(panel: Part) -> list[str] | None:
    for one in panel.get("transformations", []):
        return sorted(one["options"]["excludeByName"])
    return None


SAME: dict[str, tuple[Callable[[Part], Any], Callable[[Part], Any]]] = {
    "title and description": (words, lambda other: other["display"]),
    "kind": (lambda panel: KINDS[panel["type"]], lambda other: other["plugin"]["kind"]),
    "queries": (queries, asked),
    "sentence without data": (
        lambda panel: defaults(panel).get("noValue"),
        lambda other: chart(other).get("empty"),
    ),
    "lower end of the axis": (
        lambda panel: defaults(panel).get("custom", {}).get("axisSoftMin"),
        lambda other: chart(other).get("softMin"),
    ),
    "unit": (unit, drawn_unit),
    "calculation": (calculation, lambda other: chart(other).get("calculation")),
    "thresholds": (levels, lambda other: chart(other).get("thresholds")),
    "links": (links, lambda other: [(one["name"], one["url"]) for one in other["links"]]),
    "hidden columns": (hidden, lambda other: chart(other).get("hidden")),
}


@pytest.mark.parametrize("part", SAME)
def test_each_panel_says_what_grafanas_says(part: str) -> None:
    of_grafana, of_page = SAME[part]
    differ = {
        place: (of_page(other), of_grafana(panel))
        for place, panel, other in pairs()
        if of_page(other) != of_grafana(panel)
    }
    assert differ == {}
    assert any(of_page(other) not in (None, []) for _, _, other in pairs())


def test_links_are_filled_in_and_a_row_of_alerts_leads_to_its_rule() -> None:
    assert all(one["renderVariables"] for _, _, other in pairs() for one in other["links"])
    for place, panel, other in pairs():
        to_rules = [one for one in defaults(panel)["links"] if "/alerting/list" in one["url"]]
        expected = {"alertname": "/alerting/list?search="} if to_rules else None
        assert chart(other).get("links") == expected, place


def test_each_variable_lists_the_same_values_and_all_is_everything() -> None:
    for uid, board in BOARDS.items():
        shown_by_grafana = [one for one in board["templating"]["list"] if one.get("hide") != 2]
        found = [one["spec"] for one in PAGES[uid]["spec"]["variables"]]
        assert [one["name"] for one in found] == [one["name"] for one in shown_by_grafana]
        assert [one["name"] for one in found][:2] == ["job", "instance"]
        for one, other in zip(found, shown_by_grafana, strict=True):
            values = one["plugin"]["spec"]
            (series,) = values["matchers"]
            listed = f"label_values({series}, {values['labelName']})"
            assert listed == other["query"]["query"]
            assert (one["allowAllValue"], one["customAllValue"]) == (True, other["allValue"])
            assert (one["customAllValue"], one["defaultValue"]) == (".*", ["$__all"])
            assert one["allowMultiple"] is other["multi"] is True
        assert 'job=~"$job"' in found[1]["plugin"]["spec"]["matchers"][0]
