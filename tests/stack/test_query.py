import json

import pytest
from otelcol_runner.ports import free_port

from stack.services.stand_in import StandIn
from tests.stack.conftest import Agentical
from tests.stack.standins.exports import post, span, traces


@pytest.fixture(autouse=True)
def _at_the_stand_in(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGFIRE_QUERY_ENDPOINT", stand_in.url)
    monkeypatch.delenv("LOGFIRE_READ_TOKEN", raising=False)


def test_rows_are_printed_as_a_table_or_as_json(stand_in: StandIn, agentical: Agentical) -> None:
    post(stand_in, traces(span(name="[red]GET[/red]", attributes={"a": [1]})))
    sql = "SELECT span_name, attributes, log_body FROM records"
    lines = agentical("query", sql).out.splitlines()
    assert [cell.strip() for cell in lines[1].strip("┃").split("┃")] == [
        "span_name",
        "attributes",
        "log_body",
    ]
    assert [cell.strip() for cell in lines[3].strip("│").split("│")] == [
        "[red]GET[/red]",
        '{"a": [1]}',
        "",
    ]
    assert json.loads(agentical("query", "--json", sql).out) == [
        {"span_name": "[red]GET[/red]", "attributes": {"a": [1]}, "log_body": None}
    ]


def test_since_and_limit_bound_the_rows(stand_in: StandIn, agentical: Agentical) -> None:
    post(stand_in, traces(*(span(ago=minutes * 60.0) for minutes in (1, 10, 100))))
    sql = ("query", "--json", "SELECT span_name FROM records")
    assert len(json.loads(agentical(*sql).out)) == 2
    assert len(json.loads(agentical(*sql, "--since", "5m").out)) == 1
    assert len(json.loads(agentical(*sql, "--since", "3h", "--limit", "2").out)) == 2
    assert agentical("query", "--since", "1s", sql[-1]).out == "no rows in the last 1s\n"


def test_each_mistake_is_one_sentence(
    stand_in: StandIn, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = agentical("query", "SELECT nosuch FROM records")
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err.startswith(f"agentical: {stand_in.url} answered 400: Schema error: No field")
    assert "'1 hour' is not a duration" in agentical("query", "--since", "1 hour", "SELECT 1").err

    monkeypatch.setenv("LOGFIRE_READ_TOKEN", "wrong")
    refused = agentical("query", "SELECT 1")
    assert "rejected the read token (401): set LOGFIRE_READ_TOKEN" in refused.err

    monkeypatch.setenv("LOGFIRE_QUERY_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    assert "cannot reach the query API at http://127.0.0.1:" in agentical("query", "SELECT 1").err

    monkeypatch.setenv("LOGFIRE_QUERY_ENDPOINT", "https://logfire-eu.example")
    monkeypatch.setenv("LOGFIRE_READ_TOKEN", "")
    assert "set LOGFIRE_READ_TOKEN to a read token" in agentical("query", "SELECT 1").err
