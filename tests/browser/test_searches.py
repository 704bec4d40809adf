"""What the page shows is what the backends answer to a query of the test's own."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from otelcol_runner.polling import poll_until
from playwright.sync_api import Page, expect

from stack.clients.logfire import Logfire, Row
from stack.errors import UserError
from stack.pipeline.launch import Pipeline
from tests.browser.looking import Looked

ODD = "o'brien\" % _ --"
READ_DOCUMENT = "http_method = 'GET' AND http_route LIKE '/doc%'"  # /docs is read by other tests
# As the page says it: an exception that was handled may leave a span's status as it was, and a span
# may fail without one.
FAILED = "BOOL_OR(is_exception OR COALESCE(otel_status_code, '') = 'ERROR')"
SECONDS = "EXTRACT(EPOCH FROM MAX(end_timestamp)) - EXTRACT(EPOCH FROM MIN(start_timestamp))"


@dataclass(frozen=True)
class Data:
    """A task that failed, and 40 s before it: few enough traces for one list."""

    logfire: Logfire
    document: str
    trace: str
    until: float

    @property
    def range(self) -> str:
        return f"start={int(self.until - 40) * 1000}&end={int(self.until) * 1000}"

    def rows(self, sql: str) -> list[Row]:
        return self.logfire.rows(sql, since=timedelta(hours=1), limit=10_000)

    def traces(self, where: str, having: str = "TRUE") -> set[str]:
        """Return the ids of traces in the range; `where` is of one span, `having` of the trace."""
        start, end = (datetime.fromtimestamp(int(self.until) - ago, UTC) for ago in (40, 0))
        spans = f"kind = 'span' AND start_timestamp BETWEEN '{start:%FT%TZ}' AND '{end:%FT%TZ}'"
        matching = f"SELECT trace_id FROM records WHERE {spans} AND {where}"
        found = self.rows(
            f"SELECT trace_id FROM records WHERE {spans} AND trace_id IN ({matching}) "
            f"GROUP BY trace_id HAVING {having}"
        )
        return {row["trace_id"] for row in found}


@pytest.fixture(scope="module")
def data(running: Pipeline) -> Iterator[Data]:
    document = f"lost-{uuid.uuid4().hex}"
    asked = {"task_type": "summarize_document", "text": document}
    answer = httpx.post(f"{running.api_url}/agents/archivist/tasks", json=asked)
    assert answer.status_code == httpx.codes.ACCEPTED
    raised = f"SELECT trace_id, kind FROM records WHERE exception_message LIKE '%{document}%'"
    with Logfire(running.logfire_url, running.read_token) as logfire:

        def arrived() -> str:
            found = logfire.rows(raised, since=timedelta(hours=1))
            assert {row["kind"] for row in found} == {"span", "log"}
            return str(found[0]["trace_id"])

        trace = poll_until(arrived, "span and log of a failed task", timeout=90, interval=1)
        # Until all of it has arrived, a trace may still fail or grow longer.
        until = time.time() + 1
        settled = f"{datetime.fromtimestamp(until + 5, UTC):%FT%TZ}"
        newer = f"SELECT trace_id FROM records WHERE start_timestamp > '{settled}'"
        hour = timedelta(hours=1)
        poll_until(lambda: logfire.rows(newer, since=hour), "later spans", timeout=60, interval=1)
        yield Data(logfire, document, trace, until)


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def ids(page: Page) -> list[str]:
    """Return the traces in the list, once it is no longer loading."""
    expect(page.get_by_role("progressbar", name="Loading")).to_have_count(0)
    links = page.get_by_test_id("trace-row").get_by_role("link").all()
    return [(link.get_attribute("href") or "").removeprefix("/traces/") for link in links]


@pytest.mark.parametrize(
    ("search", "where", "having"),
    [
        ("route=put+/DOCUMENTS", "http_method = 'PUT' AND http_route LIKE '/documents%'", "TRUE"),
        ("status=404", "http_response_status_code = 404", "TRUE"),
        ("status=4xx", "http_response_status_code BETWEEN 400 AND 499", "TRUE"),
        ("route=GET+/doc&status=ok", READ_DOCUMENT, f"NOT {FAILED}"),
        ("route=GET+/doc&status=error", READ_DOCUMENT, FAILED),
        ("route=/stats&min=3", "http_route LIKE '%/stats'", f"{SECONDS} >= 0.003"),
        ("route=/stats&max=3", "http_route LIKE '%/stats'", f"{SECONDS} <= 0.003"),
        ("var-job=agentical-worker&status=error", "service_name = 'agentical-worker'", FAILED),
    ],
)
def test_a_search_lists_the_traces_that_match(
    page: Page, data: Data, search: str, where: str, having: str
) -> None:
    before = data.traces(where, having)
    page.goto(f"/traces?{search}&{data.range}")
    expect(page.get_by_test_id("trace-row").first).to_be_visible()
    listed = set(ids(page))
    after = data.traces(where, having)
    # A trace whose last span arrives meanwhile may match only before or only after.
    assert before & after <= listed <= before | after


def test_the_slowest_traces_come_first_and_the_newest_otherwise(page: Page, data: Data) -> None:
    # As numbers: of two times as text, the one without a fraction sorts behind the other.
    started = "EXTRACT(EPOCH FROM MIN(start_timestamp))"
    asked = f"SELECT trace_id, {SECONDS} AS seconds, {started} AS started FROM records "

    def found() -> dict[str, Row]:
        rows = data.rows(f"{asked} WHERE kind = 'span' GROUP BY 1")
        return {row["trace_id"]: row for row in rows}

    def listed(search: str) -> tuple[list[str], dict[str, Row]]:
        """Return a list whose traces got no further span while it was looked at."""
        before = found()
        page.goto(f"/traces?route=/documents&{search}{data.range}")
        expect(page.get_by_test_id("trace-row").first).to_be_visible()
        shown, after = ids(page), found()
        assert [before.get(trace) for trace in shown] == [after[trace] for trace in shown]
        return shown, after

    slowest, rows = poll_until(lambda: listed("sort=slowest&"), "a list at rest", timeout=60)
    assert slowest == sorted(slowest, key=lambda trace: rows[trace]["seconds"], reverse=True)
    newest, rows = poll_until(lambda: listed(""), "a list at rest", timeout=60)
    assert newest == sorted(newest, key=lambda trace: rows[trace]["started"], reverse=True)
    assert len(slowest) > 3
    assert slowest != newest


def test_a_text_is_searched_as_it_is_by_enter_and_by_the_button(page: Page, data: Data) -> None:
    page.goto("/traces")
    text = page.get_by_role("textbox", name="Text or trace id")
    text.fill(data.document.upper())
    text.press("Enter")
    expect(page.get_by_test_id("trace-row")).to_have_count(1)
    assert ids(page) == [data.trace]
    # Neither a wildcard of LIKE nor the end of a string.
    for other in (data.document.replace("-", "_"), "%", ODD):
        text.fill(other)
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_test_id("nothing")).to_contain_text(f'No trace with "{other}"')
    assert page.get_by_test_id("trace-row").count() == 0


def test_logs_of_a_level_open_to_their_attributes(page: Page, data: Data) -> None:
    page.goto("/logs?level=error")
    rows = page.get_by_test_id("log-row")
    expect(rows.first).to_contain_text("TaskFailedError")
    levels = [row.get_by_role("cell").nth(2).inner_text() for row in rows.all()]
    assert set(levels) <= {"error", "fatal"}
    failed = rows.filter(has_text=data.document)
    failed.get_by_role("button", name="Show the attributes").click()
    expect(page.get_by_test_id("log-attributes")).to_contain_text(data.trace)
    page.goto(f"/logs?q={data.document}&level=warn&var-job=agentical-worker")
    expect(rows).to_have_count(1)
    page.goto(f"/logs?q={data.document}&level=fatal")
    expect(page.get_by_test_id("nothing")).to_contain_text("at level fatal or above")


def test_the_trace_of_a_failed_task_shows_why_and_leads_to_its_logs(page: Page, data: Data) -> None:
    page.goto(f"/traces/{data.trace}")
    expect(page.get_by_test_id("trace-status")).to_have_text("error")
    raised = page.get_by_test_id("exception")
    expect(raised).to_have_count(1)  # of the span; its log has it once more
    expect(raised).to_contain_text(f"TaskFailedError: there is no document '{data.document}'")
    expect(raised.locator("pre")).to_contain_text("fetch_document")
    (row,) = data.rows(
        "SELECT EXTRACT(EPOCH FROM MIN(start_timestamp)) AS start, COUNT(*) AS records, "
        "EXTRACT(EPOCH FROM MAX(end_timestamp)) AS until, COUNT(*) FILTER (WHERE kind = 'log') "
        f"AS logs FROM records WHERE trace_id = '{data.trace}'"
    )
    page.get_by_test_id("logs-link").click()
    page.wait_for_url("**/logs?*")
    asked = query(page.url)
    assert float(asked["start"]) / 1000 <= row["start"]
    assert row["until"] <= float(asked["end"]) / 1000 <= row["until"] + 3600
    expect(page.get_by_test_id("log-row")).to_have_count(row["logs"])


def test_explore_shows_the_answer_and_the_reason_why_there_is_none(
    looked: Looked, data: Data
) -> None:
    page, result = looked.page, looked.page.get_by_test_id("explore-result")
    page.goto("/explore")
    page.get_by_label("PromQL", exact=True).last.click()
    page.keyboard.type("vector(21) * 2")
    page.keyboard.press("Control+Enter")
    expect(result.get_by_role("cell", name="42", exact=True)).to_be_visible()
    page.goto("/explore?lang=sql")
    page.get_by_test_id("explore-query").fill("SELECT 40 + 2 AS answer")
    page.get_by_role("button", name="Run").click()
    expect(result.get_by_role("columnheader")).to_have_text("answer")
    expect(result.get_by_role("cell")).to_have_text("42")
    assert looked.problems == []
    with pytest.raises(UserError) as refused:
        data.rows("SELECT nothing FROM records")
    page.get_by_test_id("explore-query").fill("SELECT nothing FROM records")
    page.keyboard.press("Control+Enter")
    expect(result).to_contain_text(str(refused.value).partition(" 400: ")[2])
    page.goto("/explore?q=sum(")
    expect(result).to_contain_text("parse error")
    assert all("400" in problem for problem in looked.problems)
    looked.problems.clear()
