"""Every dashboard, drawn by a real browser from the running pipeline."""

import json

import pytest
from playwright.sync_api import Page

from stack.paths import ROOT
from tests.browser import looking

FOLDERS = (ROOT / "view" / "generated", ROOT / "logfire" / "generated")
BOARDS = {
    board["metadata"]["name"]: board["spec"]
    for folder in FOLDERS
    for board in (json.loads(path.read_text()) for path in sorted(folder.glob("*.json")))
}
# The only reasons for a panel without data here. A panel of Logfire's dashboards has no own reason.
REASONS = {
    "agentical-kubernetes": "No cluster reports here",
    "agentical-collector": "Nothing is sampled|No request was refused|There is no sampling window",
    "agentical-databases": "No replica is connected|No limit: maxmemory of Redis is 0",
    "agentical-trends": "Needs a day of history|Needs two weeks|the first rates need 5 minutes",
    "agentical-failures": "No row matches in this time",
}
# A quiet machine needs less than 3 s for 25 panels; a busy one draws slower.
SECONDS = 20
EMPTY = (
    """() => [...document.querySelectorAll('[data-testid=empty]')].map(each => each.innerText)"""
)


@pytest.mark.parametrize("uid", BOARDS)
def test_every_panel_of_a_dashboard_is_drawn_and_an_empty_one_says_why(
    page: Page, uid: str
) -> None:
    assert looking.board(page, f"/d/{uid}?start=5m") < SECONDS
    titles = page.locator("[data-testid=panel] header").all_inner_texts()
    assert {title.strip() for title in titles} == {
        panel["spec"]["display"]["name"] for panel in BOARDS[uid]["panels"].values()
    }
    assert page.get_by_role("alert").all_inner_texts() == []
    reasons = REASONS.get(uid, "nothing may be empty").split("|")
    unexplained = [
        sentence
        for sentence in page.evaluate(EMPTY)
        if not any(reason in sentence for reason in reasons)
    ]
    assert unexplained == []
    assert page.evaluate(looking.FITS)
