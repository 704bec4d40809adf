"""Requirements on every panel's query, checked on the syntax tree of a real Prometheus."""

import re
from collections.abc import Iterator

import httpx
import pytest
import yaml
from otelcol_runner.ports import free_port

from stack.paths import PROMETHEUS
from stack.services.prometheus import Prometheus
from tests.dashboards.reading import Part, alerts_of, asked, each_panel, each_query

RULES: list[str] = [
    " ".join(rule["expr"].split())
    for path in (PROMETHEUS / "rules").rglob("*.yml")
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
TRENDS: dict[str, str] = {
    rule["record"]: rule["expr"]
    for group in yaml.safe_load((PROMETHEUS / "rules" / "trends.yml").read_text())["groups"]
    for rule in group["rules"]
}
INTERVAL = 77  # seconds; a value that no query contains
COUNTER = re.compile(r"^[a-z]\w*_(total|bucket|count|sum)$")
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
    """Yield each selector, with the function around it.

    A counter less its own least is counted as a whole: a function `grown`.
    """
    if isinstance(tree, list):
        for part in tree:
            yield from selectors(part, function)
    elif isinstance(tree, dict) and grown(tree):
        yield "grown", tree["rhs"]["args"][0]
    elif isinstance(tree, dict):
        if tree.get("type") in {"vectorSelector", "matrixSelector"}:
            yield function, tree
        called = tree["func"]["name"] if tree.get("type") == "call" else function
        for part in tree.values():
            yield from selectors(part, called)


def grown(tree: Part) -> bool:
    left, right = tree.get("lhs") or {}, tree.get("rhs") or {}
    return (
        tree.get("op") == "-"
        and right.get("type") == "call"
        and right["func"]["name"] == "min_over_time"
        and right["args"][0]["matchers"] == left.get("matchers")
    )


def test_counters_are_shown_as_rates_over_rate_interval(trees: dict[str, Part]) -> None:
    for place, function, selector in of_panels(trees):
        if COUNTER.match(selector["name"]) and function != "grown":
            assert function == "rate", (place, selector["name"])
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
        if function == "grown":
            assert windows[place] == f"{selector['range'] // 60_000}m", place


def test_every_query_filters_by_the_chosen_jobs_and_instances(trees: dict[str, Part]) -> None:
    for place, _, selector in of_panels(trees):
        chosen = {matcher["name"] for matcher in selector["matchers"]}
        of_all = RECORDED.search(selector["name"])
        assert of_all or {"job", "instance"} <= chosen, (place, selector["name"])


def of_panels(trees: dict[str, Part]) -> Iterator[tuple[str, str, Part]]:
    """Yield every selector, except those in queries that are copied from an alert."""
    exprs = dict(each_query())
    for place, tree in trees.items():
        if not any(rule.startswith(f"{exprs[place]} ") for rule in RULES):
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


def test_a_panel_with_a_threshold_shows_the_alerts_series(
    trees: dict[str, Part],
) -> None:
    for place, panel in each_panel():
        drawn = {
            selector["name"]
            for target in panel["targets"]
            for _, selector in selectors(trees[f"{place}, {target['refId']}"])
        }
        recorded = " ".join(TRENDS.get(name, name) for name in drawn)
        for alert in alerts_of(panel):
            if "prometheus" in alert:
                assert words(recorded) & words(alert["prometheus"]["expr"]), (place, alert["name"])


def words(expr: str) -> set[str]:
    """Return the series names in an expression: the words with an underscore or a colon."""
    return {word for word in re.findall(r"[a-z][\w:]*", expr) if re.search("[_:].*[_:]", word)}
