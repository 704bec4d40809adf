"""The same dashboards in Perses' format, which the page in `view/` draws where there is no Grafana.

Both formats come from one description, the dashboards of `boards/`. Fields that Grafana has and
Perses does not: annotations, and links of a single series. `empty`, the sentence of a panel without
data, `softMin`, exemplars and the table of labels are the page's own (`view/src/perses/`).
"""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from grafana.generate import models

Part = dict[str, Any]

PAGES = Path(__file__).parents[1] / "view" / "generated"
SOURCE = {"kind": "PrometheusDatasource", "name": "prometheus"}
# Perses' formats by Grafana's units. Any other unit is a suffix, which the panel's title contains.
FORMATS: dict[str, Part] = {
    "percentunit": {"unit": "percent-decimal", "decimalPlaces": 2},
    "s": {"unit": "seconds"},
    "d": {"unit": "days"},
    "bytes": {"unit": "bytes", "shortValues": True},
    "decbytes": {"unit": "decbytes", "shortValues": True},
    "Bps": {"unit": "bytes/sec", "shortValues": True},
}
PLAIN: Part = {"unit": "decimal", "shortValues": True}
CALCULATIONS = {"lastNotNull": "last-number", "max": "max", "mean": "mean"}
COLOURS = {"green": "#3D9A50", "orange": "#E8820C", "red": "#D32F2F"}
HIDDEN = 2
OF_A_ROW = "${__data."
RULE = "/alerting/list?search="
# The page is opened soon after the demo has started.
FIRST_RANGES = {"1h": "15m"}
RANGE = "from=$__from&to=$__to"
BY_VALUE = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")


def files() -> dict[Path, str]:
    """Return the content of every generated file."""
    return {
        PAGES / f"{name}.json": json.dumps(dashboard(model), indent=2, sort_keys=True) + "\n"
        for name, model in models().items()
    }


def dashboard(model: Part) -> Part:
    """Return a dashboard of Perses from its Grafana model (the classic format)."""
    panels: dict[str, Part] = {}
    layouts: list[Part] = []
    top = 0
    for panel in model["panels"]:
        place = panel["gridPos"]
        if panel["type"] == "row":
            top = place["y"] + 1
            layouts.append(group(panel["title"]))
            continue
        key = f"panel{panel['id']}"
        panels[key] = converted(panel)
        layouts[-1]["spec"]["items"].append(
            {
                "x": place["x"],
                "y": taller(place["y"] - top),
                "width": place["w"],
                "height": taller(place["h"]),
                "content": {"$ref": f"#/spec/panels/{key}"},
            }
        )
    # The hidden one is for Grafana's links to Logfire.
    shown = [each for each in model["templating"]["list"] if each.get("hide") != HIDDEN]
    since = model["time"]["from"].removeprefix("now-")
    spec = {
        "display": {"name": model["title"], "description": model["description"]},
        "duration": FIRST_RANGES.get(since, since),
        "refreshInterval": "10s",
        "variables": [variable(each) for each in shown],
        "links": [],
        "panels": panels,
        "layouts": layouts,
    }
    metadata = {"name": model["uid"], "project": "agentical"}
    return {"kind": "Dashboard", "metadata": metadata, "spec": spec}


def taller(units: int) -> int:
    """Return a height in Perses' units: a legend of more than a line needs a panel of ten."""
    return units * 5 // 4


def group(title: str) -> Part:
    """Return an empty group of panels."""
    display = {"title": title, "collapse": {"open": True}}
    return {"kind": "Grid", "spec": {"display": display, "items": []}}


def converted(panel: Part) -> Part:
    """Return a panel; raises `KeyError` for a type, unit or calculation without a counterpart."""
    defaults = panel["fieldConfig"]["defaults"]
    make = {"timeseries": graph, "stat": number, "table": table}[panel["type"]]
    plugin = make(panel, defaults)
    plugin["spec"] |= {"empty": defaults["noValue"]} if "noValue" in defaults else {}
    return {
        "kind": "Panel",
        "spec": {
            "display": {"name": panel["title"], "description": panel["description"]},
            "plugin": plugin,
            "queries": [query(target) for target in panel["targets"]],
            "links": [link(each) for each in defaults["links"] if OF_A_ROW not in each["url"]],
        },
    }


def graph(_panel: Part, defaults: Part) -> Part:
    """Return a chart with lines over time."""
    axis: Part = {"format": FORMATS.get(defaults["unit"], PLAIN)}
    spec = {
        "legend": {"mode": "list", "position": "bottom"},
        "visual": {"areaOpacity": 0.1, "connectNulls": False, "lineWidth": 1.5},
        "yAxis": axis,
    }
    soft = defaults.get("custom", {}).get("axisSoftMin")
    spec |= {} if soft is None else {"softMin": soft}
    return {"kind": "TimeSeriesChart", "spec": spec | levels(defaults)}


def number(panel: Part, defaults: Part) -> Part:
    """Return a number with its sparkline."""
    (calculation,) = panel["options"]["reduceOptions"]["calcs"]
    spec = {
        "calculation": CALCULATIONS[calculation],
        "format": FORMATS.get(defaults["unit"], PLAIN),
        "sparkline": {},
    }
    return {"kind": "StatChart", "spec": spec | thresholds(defaults)}


def table(panel: Part, _defaults: Part) -> Part:
    """Return a table of labels: each alert is a link to its rule."""
    hidden = [
        name
        for each in panel.get("transformations", [])
        if each["id"] == "organize"
        for name in each["options"]["excludeByName"]
    ]
    links = {"alertname": RULE}
    return {"kind": "LabelTable", "spec": {"hidden": hidden, "links": links}}


def thresholds(defaults: Part) -> Part:
    """Return the colours of a number, each from its value up."""
    first, *steps = defaults["thresholds"]["steps"]
    if not steps:
        return {}
    found = [{"value": step["value"], "color": COLOURS[step["color"]]} for step in steps]
    return {"thresholds": {"defaultColor": COLOURS[first["color"]], "steps": found}}


def levels(defaults: Part) -> Part:
    """Return the lines of a graph's thresholds, each in the colour of its alert."""
    steps = defaults["thresholds"]["steps"]
    found = []
    for below, above in pairwise(steps):
        colour = max(below["color"], above["color"], key=[*COLOURS].index)
        found.append({"value": above["value"], "color": COLOURS[colour]})
    return {"thresholds": {"steps": found}} if found else {}


def query(target: Part) -> Part:
    """Return a range query, or the query for the exemplars of its histogram."""
    spec: Part = {"datasource": SOURCE, "query": target["expr"]}
    kind = "PrometheusTimeSeriesQuery"
    if target.get("exemplar"):
        kind = "PrometheusExemplarQuery"
    elif target.get("legendFormat"):
        spec["seriesNameFormat"] = target["legendFormat"]
    return {"kind": "TimeSeriesQuery", "spec": {"plugin": {"kind": kind, "spec": spec}}}


def link(found: Part) -> Part:
    """Return a link of a panel, for the selected services and the time range."""
    title, url = found["title"], found["url"].replace("${__url_time_range}", RANGE)
    if url.startswith("${logfire:raw}"):
        title, url = "Open the traces of the service", f"/traces?${{job:queryparam}}&{RANGE}"
    # Perses' own `queryparam` leaves out the prefix with which it reads them.
    url = re.sub(r"\$\{(\w+):queryparam\}", r"var-\1=${\1:percentencode}", url)
    return {"name": title, "url": url, "renderVariables": True}


def variable(found: Part) -> Part:
    """Return a variable with the values of a label."""
    matched = BY_VALUE.fullmatch(found["query"]["query"])
    if matched is None:
        raise ValueError(f"{found['name']}: a query of Grafana's without a counterpart in Perses")
    values = {
        "datasource": SOURCE,
        "labelName": matched["label"],
        "matchers": [matched["series"]],
    }
    every = {"defaultValue": ["$__all"], "customAllValue": ".*"} if found["includeAll"] else {}
    spec = {
        "name": found["name"],
        "display": {"name": found["name"]},
        "allowMultiple": found["multi"],
        "allowAllValue": found["includeAll"],
        "sort": "alphabetical-asc",
        "plugin": {"kind": "PrometheusLabelValuesVariable", "spec": values},
    }
    return {"kind": "ListVariable", "spec": spec | every}
