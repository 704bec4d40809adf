"""Alerts, links, the home page and the theme, compared with what the backends answer."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from otelcol_runner.polling import poll_until
from playwright.sync_api import Locator, Page, expect

from alerts.model import matrix
from stack.clients.prometheus import PromQL
from stack.pipeline.launch import Pipeline
from tests.browser import looking
from tests.browser.test_boards import BOARDS
from tests.dashboards.live_pipeline import FIRES

APPLICATION = "/d/agentical-application"
SLOW = 30_000  # milliseconds: what the page asks again every 10 s


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@contextmanager
def silenced(alertmanager: str, alert: str) -> Iterator[None]:
    now = datetime.now(UTC)
    silence = {
        "matchers": [{"name": "alertname", "value": alert, "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=5)).isoformat(),
        "createdBy": "a colleague",
        "comment": "known since Monday",
    }
    answer = httpx.post(f"{alertmanager}/api/v2/silences", json=silence).raise_for_status()
    try:
        yield
    finally:
        url = f"{alertmanager}/api/v2/silence/{answer.json()['silenceID']}"
        httpx.delete(url).raise_for_status()


def test_a_silenced_alert_says_by_whom(page: Page, running: Pipeline) -> None:
    assert running.alertmanager is not None
    rows = page.locator(f"[data-testid=alert-row][data-alert={FIRES}]")
    with silenced(running.alertmanager.url, FIRES):
        page.goto(f"/alerts?name={FIRES}")
        expect(rows.first).to_have_attribute("data-state", "silenced", timeout=SLOW)
        expect(rows.first).to_contain_text("by a colleague until")
        expect(rows.first).to_contain_text("known since Monday")
        page.goto("/alerts?state=silenced")
        expect(rows.first).to_be_visible()
        assert states(page) == {"silenced"}
    page.goto("/alerts?state=firing")
    expect(rows.first).to_be_visible(timeout=SLOW)
    assert states(page) == {"firing"}


def states(page: Page) -> set[str | None]:
    rows = page.get_by_test_id("alert-row").all()
    return {row.get_attribute("data-state") for row in rows}


@pytest.mark.parametrize("system", ["Logfire", "Prometheus"])
def test_the_rules_of_one_system_are_all_of_its_rules(page: Page, system: str) -> None:
    page.goto("/alerts")
    page.get_by_role("combobox", name="System").click()
    page.get_by_role("option", name=system).click()
    page.get_by_role("button", name=re.compile("rules? (is|are) quiet")).click()
    rows = page.get_by_test_id("alert-row")
    expect(rows.first).to_be_visible()
    found = [
        (row.get_attribute("data-alert"), row.get_by_role("cell").nth(4)) for row in rows.all()
    ]
    assert {cell.inner_text() for _, cell in found} == {system}
    all_of_it = {it.name for it in matrix().alerts if getattr(it, system.lower()) is not None}
    assert all_of_it <= {name for name, _ in found}


def test_a_link_selects_a_service_that_is_gone_and_another_link_another(page: Page) -> None:
    link = f"{APPLICATION}?from=now-5m&to=now&var-job="
    looking.board(page, f"{link}gone")
    asked = query(page.url)
    assert (asked["var-job"], asked["start"]) == ("gone", "5m")
    sentences = {
        panel["spec"]["plugin"]["spec"].get("empty")
        for panel in BOARDS["agentical-application"]["panels"].values()
    }
    expect(page.get_by_test_id("empty")).to_have_count(page.get_by_test_id("panel").count())
    assert set(page.get_by_test_id("empty").all_inner_texts()) == sentences
    expect(page.get_by_text("gone", exact=True)).to_be_visible()
    # As a panel's link: it stays inside the page.
    page.evaluate(
        "href => { const a = document.createElement('a'); a.href = href; a.textContent = 'Other';"
        " document.querySelector('main').prepend(a); window.isSame = true; a.click(); }",
        f"{link}agentical-api",
    )
    page.wait_for_function(looking.DRAWN)
    rate = page.get_by_test_id("panel").filter(has_text="Request rate (req/s)")
    expect(rate.get_by_test_id("empty")).to_have_count(0)
    expect(rate.locator("canvas").first).to_be_visible()
    expect(page.get_by_text("agentical-api", exact=True).first).to_be_visible()
    expect(page.get_by_text("gone", exact=True)).to_have_count(0)
    assert query(page.url)["var-job"] == "agentical-api"
    assert page.evaluate("() => window.isSame")


def test_all_services_and_times_in_the_past_are_taken_from_a_link(page: Page) -> None:
    with page.expect_request("**/api/v1/query_range*") as asking:
        page.goto(f"{APPLICATION}?from=now-2h&to=now-1h&var-job=.*")
    asked = query(page.url)
    assert asked["var-job"] == "$__all"
    start, end = (float(asked[name]) / 1000 for name in ("start", "end"))
    assert end == pytest.approx(time.time() - 3600, abs=60)
    assert end - start == pytest.approx(3600, abs=5)
    sent = parse_qs(asking.value.post_data or urlsplit(asking.value.url).query)
    assert float(sent["end"][0]) == pytest.approx(end, abs=60)


def test_home_shows_the_numbers_of_prometheus(page: Page, running: Pipeline) -> None:
    page.goto("/")
    budgets, services = (page.get_by_test_id(f"home-{box}") for box in ("budgets", "services"))
    expect(services.get_by_role("row", name="agentical-api")).to_contain_text("requests/s")
    with PromQL(running.prometheus_url) as promql:

        def same() -> bool:
            rate = 'sum(rate(agentical_requests_total{job="agentical-api"}[1m]))'
            load = services.get_by_role("row", name="agentical-api").get_by_role("cell").nth(2)
            shown = number(load, r"([\d.]+) requests/s")
            assert shown == pytest.approx(promql.number(rate), rel=0.1)
            found = promql.series("slo:error_budget_remaining:ratio")
            assert budgets.get_by_role("progressbar").count() == len(found)
            for labels, left in found:
                words = rf"{labels['slo'].replace('_', ' ')} · {labels['job']}"
                shown = number(budgets, rf"{words}(missed by )?([\d.]+) %")
                assert shown == pytest.approx(abs(left) * 100, abs=1)
            return bool(found)

        poll_until(same, "the numbers of Prometheus on the page", timeout=30, interval=1)


def number(inside: Locator, pattern: str) -> float:
    found = re.search(pattern, inside.text_content() or "")
    assert found, (pattern, inside.text_content())
    return float(found[found.re.groups])


def test_the_theme_is_that_of_the_system_until_one_is_chosen(page: Page) -> None:
    def brightness() -> float:
        colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3

    page.goto("/")
    expect(page.get_by_role("button", name="Dark theme")).to_be_visible()
    assert brightness() > 200
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Light theme").wait_for()
    assert brightness() < 60
    page.get_by_role("button", name="Light theme").click()
    page.get_by_role("button", name="Dark theme").wait_for()
    assert brightness() > 200
    page.reload()
    page.get_by_role("button", name="Dark theme").wait_for()
    assert brightness() > 200


def test_the_sidebar_keeps_service_and_time_from_board_to_board(page: Page) -> None:
    page.goto(f"{APPLICATION}?start=5m&var-job=agentical-worker")
    for uid in ("agentical-databases", "agentical-slos"):
        page.locator(f"nav a[href^='/d/{uid}']").click()
        page.wait_for_url(f"**/d/{uid}?*")
        asked = query(page.url)
        assert (asked["var-job"], asked["start"]) == ("agentical-worker", "5m")


def test_a_week_that_has_just_begun_shows_its_newest_value(page: Page) -> None:
    looking.board(page, "/d/agentical-slos?")
    for title in ("Error budget remaining (%)", "Error budget remaining over time (%)"):
        panel = page.get_by_test_id("panel").filter(has=page.get_by_text(title, exact=True))
        expect(panel).to_have_count(1)
        expect(panel.get_by_test_id("empty")).to_have_count(0)
        expect(panel.locator("canvas").first).to_be_visible()
