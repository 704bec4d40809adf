"""Every saved query, panel and alert, run on what the real pipeline stored."""

import asyncio
from string import Template

import pytest

from alerts import boards, queries
from stack.paths import PROMETHEUS, ROOT
from tests.alerts.logfire.cases import ALERTS, with_threshold
from tests.alerts.runbooks import queries_in
from tests.logfire.conftest import COUNTED, Row, Running, select
from tests.support.promql import lack, series_of

SAVED = sorted(path.stem for path in (ROOT / "logfire" / "queries").glob("*.sql"))
PANELS = [(board, panel) for board in boards.boards() for panel in board.panels]
PROMQL, SQL = queries_in("promql"), queries_in("sql")
RULES = "".join(path.read_text() for path in (PROMETHEUS / "rules").rglob("*.yml"))
FAILED = "SELECT trace_id FROM records WHERE message = 'Agent task failed' LIMIT 1"


def ask(running: Running, query: str) -> list[Row]:
    """Run a saved query; `$resolution` and variables are filled in, quoted, as by the service."""
    (failed,) = running.logfire.query(FAILED)
    values = {"resolution": "'1000 days'", "trace_id": f"'{failed['trace_id']}'"}
    return running.logfire.query(Template(boards.statement(query)).substitute(values))


def tasks(running: Running, **like: str) -> int:
    """Return how many such tasks Postgres has."""
    return sum(row["tasks"] for row in running.tasks if like.items() <= row.items())


@pytest.mark.parametrize("query", SAVED)
def test_a_saved_query_returns_rows_and_no_column_stays_empty(running: Running, query: str) -> None:
    rows = ask(running, query)
    assert rows
    assert [name for name in rows[0] if all(row[name] is None for row in rows)] == []


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda part: getattr(part, "title", ""))
def test_a_panel_draws_columns_that_its_query_has(
    running: Running, board: boards.Board, panel: boards.Panel
) -> None:
    drawn = {*panel.values, *filter(None, [panel.by])}
    if panel.kind == "TimeSeriesChart":
        assert drawn | {"x"} == ask(running, panel.query)[0].keys()
    else:
        assert not drawn
    asked = set(Template(boards.statement(panel.query)).get_identifiers())
    assert asked == {"resolution"} & asked | {*board.variables} & asked


def test_requests_by_route_match_prometheus(running: Running) -> None:
    def asked(column: str) -> dict[tuple[str, ...], float]:
        rows = ask(running, "requests_by_route")
        return {(row["route"], row["method"]): row[column] for row in rows if row[column]}

    counted = "sum by (endpoint, method) (agentical_requests_total{})"
    failed = counted.replace("{}", '{status=~"5.."}')
    assert running.ask(counted.replace("{}", "")) == asked("requests")
    assert running.ask(f"{failed} / {counted}") == asked("error_rate")


def test_percentiles_are_ordered_and_at_most_the_maximum(running: Running) -> None:
    longest = "SELECT MAX(duration) AS seconds FROM records WHERE url_path IS NOT NULL"
    (most,) = running.logfire.query(longest)
    for row in ask(running, "requests_by_route"):
        assert 0 < row["p50"] <= row["p95"] <= row["p99"] <= most["seconds"]


def test_tasks_by_agent_match_postgres(running: Running) -> None:
    kinds = {(row["agent_id"], row["task_type"]) for row in running.tasks}
    expected = {}
    for agent, task_type in kinds:
        like = {"agent_id": agent, "task_type": task_type}
        count = tasks(running, **like)
        expected[agent, task_type] = count, tasks(running, **like, status="success") / count
    rows = ask(running, "tasks_by_agent")
    found = {(r["agent_id"], r["task_type"]): (r["tasks"], r["success_rate"]) for r in rows}
    assert found == expected


def test_every_task_that_was_queued_was_completed(running: Running) -> None:
    count, succeeded = tasks(running), tasks(running, status="success")
    assert 0 < succeeded < count
    assert ask(running, "task_completion") == [
        {
            "queued": count,
            "completed": count,
            "completion_rate": 1.0,
            "success_rate": succeeded / count,
        }
    ]


def test_queue_depth_comes_from_the_enqueueing_spans(running: Running) -> None:
    sql = "SELECT attributes FROM records WHERE span_name = 'send tasks'"
    rows = running.logfire.query(sql)
    depths = [row["attributes"]["messaging.queue.depth"] for row in rows]
    (found,) = ask(running, "queue_depth_at_enqueue")
    assert found["highest_depth"] == max(depths) >= 1
    assert found["mean_depth"] == pytest.approx(sum(depths) / len(depths))


def test_statement_counts_match_prometheus_and_link_to_traces(
    running: Running,
) -> None:
    rows = ask(running, "slow_database_statements")
    counted = running.ask(COUNTED["queries"])
    assert sum(row["calls"] for row in rows) == counted[()]
    slowest = rows[0]
    sql = f"SELECT MAX(duration) AS longest FROM records WHERE trace_id = '{slowest['trace_id']}'"
    assert running.logfire.query(sql)[0]["longest"] >= slowest["longest_seconds"]
    assert slowest["statement"].strip().startswith(("INSERT", "SELECT"))


def test_every_failed_task_is_listed_with_its_trace_and_logs(
    running: Running,
) -> None:
    failed = [r for r in ask(running, "errors_with_traces") if r["span_name"] == "agent_execution"]
    assert len(failed) == tasks(running, status="error")
    assert {row["error"] for row in failed} == {"app.tasks.handlers.TaskFailedError"}
    logs = ask(running, "trace_logs")
    assert ("error", "Agent task failed") in {(row["level"], row["message"]) for row in logs}


def test_an_unreachable_server_is_named(running: Running) -> None:
    rows = ask(running, "failed_connections")
    assert ("agentical-api", "Postgres") in {(row["service_name"], row["server"]) for row in rows}


@pytest.mark.parametrize("name", ALERTS)
def test_no_alert_fires_until_its_threshold_is_lowered(running: Running, name: str) -> None:
    assert running.logfire.query(queries.sql(ALERTS[name])) == []
    rows = running.logfire.query(queries.sql(with_threshold(ALERTS[name])))
    expected: dict[str, Row] = {
        "ApplicationErrorRateHigh": {"failed": 1},  # while Postgres was away
        "ApplicationLatencyHigh": {"slow": running.ask(COUNTED["requests"])[()]},
        "AgentTaskFailureRateHigh": {
            "tasks": tasks(running),
            "failed": tasks(running, status="error"),
        },
        "DatabaseQuerySlow": {"queries": running.ask(COUNTED["queries"])[()]},
        "DatabaseConnectionIssues": {},
    }
    (row,) = rows
    assert expected[name].items() <= row.items()
    assert row["trace_id"]


@pytest.mark.parametrize("query", PROMQL.values(), ids=PROMQL)
def test_a_query_of_the_runbooks_runs_on_series_and_labels_that_exist(
    running: Running, query: str
) -> None:
    answer, url = running.ask(query), running.pipeline.prometheus_url
    missing = [series for series in series_of(query, url) if lack(series, url, 600)]
    # Series of rules that do not exist without sampling, a replica or pods.
    assert [series.name for series in missing if series.name not in RULES] == []
    assert answer or missing or query.endswith("> 0") or ":1m]" in query


@pytest.mark.parametrize("query", SQL.values(), ids=SQL)
def test_the_runbooks_sql_runs_on_postgres(running: Running, query: str) -> None:
    asyncio.run(select(running.pipeline, query))
