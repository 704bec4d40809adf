"""Requirements on every panel's query, checked on the syntax tree of a real Prometheus."""

import re
from collections.abc import Iterator

import httpx
import pytest
import yaml
from otelcol_runner.ports import free_port

from stack.paths import PROMETHEUS, ROOT
from stack.services.prometheus import Prometheus
from tests.dashboards.reading import (
    Part,
    alerts_of,
    asked,
    before_comparison,
    drawn,
    each_panel,
    each_query,
)

RULES: list[str] = [
    before_comparison(" ".join(rule["expr"].split()))
    for path in (PROMETHEUS / "rules" / "generated").glob("*.yml")
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
LABELS = {"service_name": "job"}
INTERVAL = 77  # seconds; a value that no query contains
COUNTER = re.compile(r"^[a-z]\w*_(total|bucket|count|sum)$")
OF_COUNTERS = {"rate", "increase", "timestamp"}  # timestamp: when it was reported, not its value
RECORDED = re.compile(r":|^ALERTS$")  # for all jobs, or without a job


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with Prometheus(free_port(), tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture(scope="module")
def trees(prometheus: Prometheus) -> dict[str, Part]:
    """Each query's syntax tree, by its place."""
    with httpx.Client(base_url=prometheus.url) as client:
        return {place: parsed(client, place, expr) for place, expr in each_query()}


def parsed(client: httpx.Client, place: str, expr: str) -> Part:
    query = {"query": asked(expr, f"{INTERVAL}s")}
    answer = client.get("/api/v1/parse_query", params=query).json()
    assert answer["status"] == "success", (place, expr, answer)
    tree: Part = answer["data"]
    return tree


def selectors(tree: object, function: str = "") -> Iterator[tuple[str, Part]]:
    """Yield each selector, with the function around it."""
    if isinstance(tree, list):
        for part in tree:
            yield from selectors(part, function)
    elif isinstance(tree, dict):
        if tree.get("type") in {"vectorSelector", "matrixSelector"}:
            yield function, tree
        called = tree["func"]["name"] if tree.get("type") == "call" else function
        for part in tree.values():
            yield from selectors(part, called)


def test_no_panel_shows_a_raw_counter(trees: dict[str, Part]) -> None:
    for place, tree in trees.items():
        for function, selector in selectors(tree):
            if COUNTER.match(selector["name"]):
                assert function in OF_COUNTERS, (place, selector["name"])


def test_rates_are_over_rate_interval(trees: dict[str, Part]) -> None:
    for place, function, selector in of_panels(trees):
        if function == "rate":
            assert selector["range"] == INTERVAL * 1000, (place, selector["name"])


def test_increases_use_the_window_of_the_panels_alert(
    trees: dict[str, Part],
) -> None:
    windows = {
        f"{place}, {target['refId']}": (alert.get("prometheus") or {}).get("window")
        for place, panel in each_panel()
        for target in panel["targets"]
        for alert in alerts_of(panel)
    }
    for place, function, selector in of_panels(trees):
        if function == "increase":
            assert windows[place] == f"{selector['range'] // 60_000}m", place


def test_every_query_filters_by_the_chosen_jobs_and_instances(trees: dict[str, Part]) -> None:
    for place, _, selector in of_panels(trees):
        chosen = {matcher["name"] for matcher in selector["matchers"]}
        of_all = RECORDED.search(selector["name"])
        assert of_all or {"job", "instance"} <= chosen, (place, selector["name"])


def of_panels(trees: dict[str, Part]) -> Iterator[tuple[str, str, Part]]:
    """Yield every selector, except those in queries that have the expression of an alert."""
    exprs = dict(each_query())
    for place, tree in trees.items():
        if not any(rule in exprs[place] for rule in RULES):
            for function, selector in selectors(tree):
                yield place, function, selector


def test_exemplars_come_from_the_histogram_whose_traces_are_kept() -> None:
    found = {
        target["expr"]
        for _, panel in each_panel()
        for target in panel["targets"]
        if target.get("exemplar")
    }

    assert found
    assert all("agentical_sampled_request_duration_seconds_bucket" in expr for expr in found)


def test_a_panel_shows_what_an_alert_of_logfire_compares(trees: dict[str, Part]) -> None:
    """With the same grouping, and a percentile where the alert compares a share of slow requests.

    Of Prometheus' alerts, tests/dashboards/test_quantities.py compares the values.
    """
    of_logfire = [
        (place, panel, alert)
        for place, panel in each_panel()
        for alert in alerts_of(panel)
        if "prometheus" not in alert
    ]
    assert of_logfire
    for place, panel, alert in of_logfire:
        (grouped,) = {
            frozenset(re.findall(r"\w+", found))
            for found in re.findall(r"GROUP BY (.*)", sql(alert["name"])) or [""]
        }
        share = alert["logfire"].get("numbers", {}).get("slow_share")
        for target in drawn(panel):
            tree = trees[f"{place}, {target['refId']}"]
            labels = {*groupings(tree)} - {"le"}
            assert labels == {LABELS[column] for column in grouped}, place
            assert percentiles(tree) == ([] if share is None else [1 - share]), place


def sql(alert: str) -> str:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", alert).lower()
    return (ROOT / "logfire" / "alerts" / f"{name}.sql").read_text()


def nodes(tree: object) -> Iterator[Part]:
    """Yield every node of a syntax tree."""
    if isinstance(tree, dict):
        yield tree
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from nodes(part)


def groupings(tree: Part) -> Iterator[str]:
    """Yield every label that an aggregation keeps."""
    for node in nodes(tree):
        if node.get("type") == "aggregation":
            yield from node["grouping"]


def percentiles(tree: Part) -> list[float]:
    """Return the arguments of each `histogram_quantile`."""
    calls = [node for node in nodes(tree) if node.get("type") == "call"]
    named = [call for call in calls if call["func"]["name"] == "histogram_quantile"]
    return [float(call["args"][0]["val"]) for call in named]
