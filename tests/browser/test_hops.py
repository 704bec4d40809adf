"""The links between both sides, each followed by a click: docs/links.md lists them."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from otelcol_runner.polling import poll_until
from playwright.sync_api import Page, expect

from stack.pipeline.launch import Pipeline
from tests.browser import looking
from tests.dashboards.live_pipeline import FIRES

APPLICATION = "/d/agentical-application?start=5m&var-job=agentical-api"
TRACE = re.compile(r"/traces/[0-9a-f]{32}")


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_an_exemplar_leads_to_its_trace_and_that_to_its_dashboard(page: Page) -> None:
    looking.board(page, APPLICATION)
    dot = page.get_by_test_id("exemplar").last  # on top of the others
    href = dot.get_attribute("href") or ""
    dot.click()
    page.wait_for_url(TRACE)
    assert href in page.url
    expect(page.get_by_test_id("waterfall")).to_contain_text("agentical-api")

    page.get_by_test_id("dashboard-link").first.click()
    page.wait_for_url("**/d/agentical-application?*")
    assert query(page)["var-job"] == ["agentical-api"]
    expect(page.get_by_test_id("panel").first).to_be_visible()


def test_a_log_leads_to_its_trace_which_shows_it_and_leads_to_its_logs(page: Page) -> None:
    page.goto("/logs?var-job=agentical-worker")
    page.get_by_test_id("log-row").first.get_by_role("link", name="Trace").click()
    page.wait_for_url(TRACE)
    expect(page.get_by_test_id("waterfall")).to_contain_text("agentical-worker: agent_execution")
    expect(page.get_by_test_id("log-row").first).to_contain_text("Agent task")

    trace = urlsplit(page.url).path.removeprefix("/traces/")
    page.get_by_test_id("logs-link").click()
    page.wait_for_url("**/logs?*")
    assert query(page)["trace"] == [trace]


def test_a_dashboard_leads_to_the_traces_of_its_service_and_to_another_dashboard(
    page: Page,
) -> None:
    looking.board(page, APPLICATION)
    panel = page.get_by_test_id("panel").filter(has_text="Request rate (req/s)")
    panel.get_by_label("Panel links").locator("visible=true").click()
    page.get_by_role("menuitem", name="Open the traces of the service").click()
    page.wait_for_url("**/traces?*")
    assert query(page)["var-job"] == ["agentical-api"]
    assert query(page)["start"] == ["5m"]  # still relative, so that it goes on refreshing
    expect(page.get_by_test_id("trace-row").first).to_contain_text("agentical-api")
    page.go_back()

    panel.get_by_label("Panel links").locator("visible=true").click()
    page.get_by_role("menuitem", name="Open Databases").click()
    page.wait_for_url("**/d/agentical-databases?*")
    assert query(page)["var-job"] == ["agentical-api"]


def test_a_firing_alert_leads_to_its_dashboard_and_runbook(page: Page) -> None:
    page.goto("/d/agentical-overview?start=5m")
    firing = page.get_by_test_id("panel").filter(has_text="Firing alerts")
    firing.get_by_role("link", name=FIRES).first.click()
    page.wait_for_url(f"**/alerts?name={FIRES}")
    row = page.locator(f"[data-testid=alert-row][data-alert={FIRES}]").first
    expect(row).to_have_attribute("data-state", "firing")
    runbook = page.get_by_test_id("alert-runbook").first.get_attribute("href") or ""
    assert runbook.endswith(f"docs/runbooks.md#{FIRES.lower()}")
    page.get_by_test_id("alert-dashboard").first.click()
    page.wait_for_url("**/d/agentical-overview?*")
    asked = query(page)
    assert asked["var-job"] == ["host"]
    assert float(asked["start"][0]) < float(asked["end"][0])
    expect(page.get_by_test_id("panel").first).to_be_visible()


def test_a_notification_leads_to_its_rule(page: Page, running: Pipeline) -> None:
    assert running.recorder is not None
    recorder = running.recorder

    def notified() -> str:
        alerts = [a for n in recorder.notifications() for a in n["alerts"]]
        return next((a["generatorURL"] for a in alerts if a["labels"]["alertname"] == FIRES), "")

    url = poll_until(notified, f"a notification of {FIRES}", timeout=60)
    assert url.startswith(running.page_url)
    page.goto(url)
    page.get_by_test_id("explore-rule").get_by_role("link").first.click()
    page.wait_for_url(f"**/alerts?name={FIRES}")
    expect(page.locator(f"[data-testid=alert-row][data-alert={FIRES}]").first).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/traces", "/logs", "/alerts", "/explore"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_its_parts_are_reached_by_keyboard(
    page: Page, path: str, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(path)
    expect(page.get_by_role("heading").first).to_be_visible()
    assert page.evaluate(looking.FITS)
    page.keyboard.press("Tab")
    focused = page.evaluate("() => document.activeElement.textContent")
    assert focused == "Home"


def test_the_api_documentation_that_home_links_is_drawn(page: Page, running: Pipeline) -> None:
    page.goto("/")
    link = page.get_by_test_id("home-links").get_by_role("link", name=re.compile("API"))
    assert link.get_attribute("href") == f"{running.api_url}/docs"
    page.goto(f"{running.api_url}/docs")
    expect(page.get_by_text("/agents/{agent_id}/tasks")).to_be_visible()


def test_home_shows_what_runs_fires_and_flows(page: Page, running: Pipeline) -> None:
    page.goto("/")
    expect(page.get_by_test_id("home-services")).to_contain_text("agentical-api")
    expect(page.get_by_test_id("home-alerts")).to_contain_text(FIRES)
    expect(page.get_by_test_id("home-budgets")).to_contain_text("availability")
    expect(page.get_by_test_id("flow-traces")).to_be_visible()
    page.get_by_role("navigation").get_by_role(
        "link", name="Agentical Infrastructure Overview"
    ).click()
    expect(page.get_by_test_id("panel").first).to_be_visible()


def test_no_token_reaches_the_browser(running: Pipeline) -> None:
    answers = [httpx.get(f"{running.page_url}{path}") for path in ("/", "/api/config")]
    assert all(running.read_token not in answer.text for answer in answers)
