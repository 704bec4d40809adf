"""Every panel on the running pipeline, and every link between dashboards and traces."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from otelcol_runner.polling import poll_until

from stack.clients.logfire import Logfire
from stack.paths import PROMETHEUS
from tests.dashboards.live_pipeline import FIRES, GRAFANA, PROJECT, LivePipeline, live_pipeline
from tests.dashboards.reading import BOARDS, Part, asked, each_panel, each_query, panels
from tests.dashboards.test_provisioning import exemplar_link


def rates_of_an_hour() -> list[str]:
    """Return the recorded series that need an hour, or five minutes of the first one."""
    groups = yaml.safe_load((PROMETHEUS / "rules" / "trends.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    return [rule["record"] for rule in rules if "offset" in rule["expr"]]


pytestmark = pytest.mark.timeout(300)  # the first test waits for all data, also on a slow machine
Row = dict[str, Any]
Series = dict[tuple[str, str], tuple[Part, list[Row]]]
SERVICE = "agentical-api"
# What needs more history than the pipeline has: see tests/dashboards/test_trends.py.
OLD = ["present_over_time", *rates_of_an_hour()]
LONGEST = 40  # characters of a legend; Grafana cuts longer ones where a graph is narrow
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePipeline]:
    with live_pipeline(tmp_path_factory.mktemp("live")) as found:
        yield found


def get(running: LivePipeline, path: str, **params: str) -> Any:
    answer = running.client.get(path, params=params)
    assert answer.json()["status"] == "success", (params, answer.text)
    return answer.json()["data"]


def rows(running: LivePipeline, sql: str) -> list[Row]:
    with Logfire(running.pipeline.logfire_url, running.pipeline.read_token) as logfire:
        return logfire.rows(sql, since=timedelta(hours=1), limit=1000)


def shown(running: LivePipeline, expr: str) -> list[Row]:
    """Return the series of a query that have a numeric value."""
    series = get(running, "query", query=asked(expr))["result"]
    return [one["metric"] for one in series if one["value"][1] != "NaN"]


def offered(running: LivePipeline, uid: str, name: str) -> set[str]:
    """Return the options of a dashboard's variable."""
    (found,) = (v for v in BOARDS[uid]["templating"]["list"] if v["name"] == name)
    asks = re.fullmatch(r"label_values\((.+), (\w+)\)", found["query"]["query"])
    assert asks, found
    series, label = asks.groups()
    return set(get(running, f"label/{label}/values", **{"match[]": asked(series)}))


@pytest.fixture(scope="module")
def series(running: LivePipeline) -> Series:
    """The series of each query of a panel, once one of them has the labels that the query needs."""
    found: Series = {}
    left = {
        (place, target["refId"]): (panel, target)
        for place, panel in each_panel()
        for target in panel["targets"]
        if not any(word in target["expr"] for word in OLD)
    }

    def none_is_left() -> bool:
        for key, (panel, target) in list(left.items()):
            answer = shown(running, target["expr"])
            if any(used_labels(panel, target) <= labels.keys() for labels in answer):
                found[key] = (target, answer)
                del left[key]
        return not left

    missing = lambda: [(*key, used_labels(*wanted)) for key, wanted in left.items()]  # noqa: E731
    poll_until(none_is_left, "data in every panel", timeout=90, interval=0.5, seen=missing)
    return found


def test_every_panel_query_returns_data_with_the_labels_it_uses(series: Series) -> None:
    without = {place for place, _ in each_query()} - {f"{place}, {ref}" for place, ref in series}
    assert {place.split(",")[0] for place in without} == {"agentical-trends"}


def test_no_legend_has_a_uuid_or_is_too_long_to_read(series: Series) -> None:
    for place, (target, answer) in series.items():
        for labels in answer if not target.get("exemplar") else []:
            text = legend(target, labels)
            assert len(text) <= LONGEST, (place, text)
            assert not UUID.search(text), (place, text)


def legend(target: Part, series: Row) -> str:
    """Return a legend as Grafana fills it in."""
    form: str = target.get("legendFormat", "")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: series.get(match[1], ""), form)


def used_labels(panel: Part, target: Part) -> set[str]:
    """Return the labels that a query's legend and its panel's links need."""
    urls = " ".join(link["url"] for link in ways(panel))
    legend = re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))
    return {*legend, *re.findall(r"__field\.labels\.(\w+)", urls)}


def test_every_variable_has_options(running: LivePipeline) -> None:
    for uid, board in BOARDS.items():
        for variable in board["templating"]["list"]:
            assert offered(running, uid, variable["name"]), (uid, variable["name"])


def test_an_exemplar_leads_to_its_trace(running: LivePipeline) -> None:
    expr = next(t["expr"] for _, p in each_panel() for t in p["targets"] if t.get("exemplar"))

    def exemplars() -> list[Row]:
        hour = {"start": str(time.time() - 3600), "end": str(time.time())}
        found: list[Row] = get(running, "query_exemplars", query=asked(expr), **hour)
        return found

    first = poll_until(exemplars, "an exemplar", timeout=60)[0]["exemplars"][0]
    trace = first["labels"]["trace_id"]
    link = exemplar_link(PROJECT).replace("${__value.raw}", trace)
    assert link.startswith(f"{PROJECT}?")
    spans = poll_until(lambda: found_by(running, link), "its trace", timeout=60)
    assert {span["trace_id"] for span in spans} == {trace}


def test_a_trace_leads_to_its_logs_and_a_log_to_its_trace(running: LivePipeline) -> None:
    kept = "SELECT trace_id FROM records WHERE kind = 'span' AND span_name = 'agent_execution'"
    of_kept = f"SELECT * FROM records WHERE kind = 'log' AND trace_id IN ({kept})"
    logs = poll_until(lambda: rows(running, of_kept), "the logs of a kept trace", timeout=60)
    said = logs[0]["message"].replace("'", "''")
    of_log = f"SELECT trace_id FROM records WHERE kind = 'log' AND message = '{said}'"
    spans = rows(running, f"SELECT * FROM records WHERE kind = 'span' AND trace_id IN ({of_log})")
    assert logs[0]["trace_id"] in {span["trace_id"] for span in spans}
    assert "agentical-worker" in {span["service_name"] for span in spans}


def found_by(running: LivePipeline, link: str) -> list[Row]:
    """Return the rows on the Logfire page of a link: its filter in its time range."""
    asks = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    conditions = [asks["q"]]
    conditions += [f"start_timestamp >= '{asks['since']}'"] if "since" in asks else []
    conditions += [f"start_timestamp < '{asks['until']}'"] if "until" in asks else []
    return rows(running, f"SELECT * FROM records WHERE {' AND '.join(conditions)}")


def clicked(url: str, begin: datetime, end: datetime) -> str:
    """Return a link as Grafana expands it for a series of the API, with the API selected."""
    values = {
        "logfire:raw": PROJECT,
        "__from:date:iso": iso(begin),
        "__to:date:iso": iso(end),
        "__field.labels.job": SERVICE,
        "job:regex": SERVICE,
    }
    return re.sub(r"\$\{([^}]+)\}", lambda match: values[match[1]], url)


def iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_dashboard_leads_to_the_same_service_and_time_in_logfire(running: LivePipeline) -> None:
    urls = {
        link["url"]
        for board in BOARDS.values()
        for links in [board["links"], *(ways(panel) for panel in panels(board))]
        for link in links
        if link.get("url", "").startswith("${logfire")
    }
    assert len(urls) == 2
    since, until = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    before = since - timedelta(hours=1)
    for url in urls:
        now = clicked(url, since, until)
        found = poll_until(partial(found_by, running, now), f"what {now} shows", timeout=60)
        assert {row["service_name"] for row in found} == {SERVICE}, url
        assert found_by(running, clicked(url, before, since)) == []
    assert offered(running, "agentical-application", "logfire") == {PROJECT}


def ways(panel: Part) -> list[Part]:
    found: list[Part] = panel["fieldConfig"]["defaults"]["links"]
    return found


def test_a_trace_in_logfire_leads_to_the_dashboard_of_its_service(running: LivePipeline) -> None:
    url = "otel_resource_attributes->>'dashboard.url'"
    sql = f"SELECT DISTINCT service_name, {url} AS url FROM records WHERE kind = 'span'"

    def both() -> list[Row]:
        found = rows(running, sql)
        assert {row["service_name"] for row in found} == {SERVICE, "agentical-worker"}
        return found

    found = poll_until(both, "spans of both services", timeout=60)
    for row in found:
        assert row["url"].startswith(f"{GRAFANA}/d/")
        opens(running, row["url"])
        assert parse_qs(urlsplit(row["url"]).query)["var-job"] == [row["service_name"]]


def opens(running: LivePipeline, url: str) -> None:
    """Assert that a link leads to a dashboard that has its variables with these values."""
    parts = urlsplit(url)
    uid = parts.path.removeprefix("/d/")
    for name, (value,) in parse_qs(parts.query).items():
        if name.startswith("var-"):
            assert value in offered(running, uid, name.removeprefix("var-")), url


def test_a_firing_alert_links_to_its_dashboard_with_variables(
    running: LivePipeline,
) -> None:
    def firing() -> list[Row]:
        alerts = get(running, "alerts")["alerts"]
        return [a for a in alerts if a["state"] == "firing" and a["labels"]["alertname"] == FIRES]

    (alert, *_) = poll_until(firing, f"{FIRES} to fire", timeout=60)
    url = alert["annotations"]["dashboard_url"]
    assert parse_qs(urlsplit(url).query)["var-job"] == [alert["labels"]["job"]]
    opens(running, url)
