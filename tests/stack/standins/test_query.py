import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from logfire.query_client import LogfireQueryClient, QueryExecutionError

from stack.services.stand_in import StandIn
from tests.stack.standins.exports import post, span, traces

COUNT = "SELECT COUNT(*) AS n FROM records"


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def ask(stand_in: StandIn, token: str = "", **body: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token or stand_in.read_token}"}
    whole = {"sql": COUNT, "min_timestamp": an_hour_ago().isoformat(), **body}
    sent = {name: value for name, value in whole.items() if value is not None}
    return stand_in.client.post("/v2/query", json=sent, headers=headers)


def test_the_real_query_client_works_in_its_three_formats(stand_in: StandIn) -> None:
    post(stand_in, traces(span(attributes={"a": 1})))
    sql = "SELECT span_name, attributes, start_timestamp, tags FROM records"
    since = an_hour_ago()
    with LogfireQueryClient(stand_in.read_token, base_url=stand_in.url) as client:
        rows = client.query_json_rows(sql, min_timestamp=since)
        table = client.query_arrow(sql, min_timestamp=since)
        (line,) = csv.DictReader(io.StringIO(client.query_csv(sql, min_timestamp=since)))
        info = client.info()
        with pytest.raises(QueryExecutionError, match="No field named nosuch"):
            client.query_json_rows("SELECT nosuch FROM records", min_timestamp=since)
    assert [(column["name"], column["datatype"]) for column in rows["columns"]] == [
        ("span_name", "Utf8"),
        ("attributes", "Utf8"),
        ("start_timestamp", {"Timestamp": ["Microsecond", "UTC"]}),
        ("tags", {"List": {"name": "item", "datatype": "Utf8"}}),
    ]
    assert rows["rows"][0]["attributes"] == {"a": 1}
    assert table.to_pylist()[0]["attributes"] == '{"a":1}'
    assert (line["span_name"], line["attributes"]) == ("GET /x", '{"a":1}')
    assert info == {"organization_name": "local", "project_name": "stand-in"}


def test_a_plain_client_gets_json_and_newline_delimited_json(stand_in: StandIn) -> None:
    post(stand_in, traces(span(), span()))
    assert ask(stand_in).json() == {"data": [{"n": 2}]}
    body = {"sql": "SELECT span_name FROM records", "min_timestamp": an_hour_ago().isoformat()}
    headers = {"authorization": stand_in.read_token, "accept": "application/x-ndjson"}
    lines = stand_in.client.post("/v2/query", json=body, headers=headers).text
    assert lines == '{"span_name":"GET /x"}\n' * 2


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"min_timestamp": None}, 422, "min_timestamp: Field required"),
        ({"min_timestamp": "2026-01-01T00:00:00"}, 422, "timezone"),
        ({"limit": 10_001}, 422, "limit: Input should be less than or equal to 10000"),
        ({"sql": "SELEC 1"}, 400, "Expected: an SQL statement, found: SELEC"),
        ({"sql": "DROP TABLE records"}, 400, "DDL not supported"),
        ({"sql": "DELETE FROM records"}, 400, "DML not supported"),
        ({"sql": "INSERT INTO records SELECT * FROM records"}, 400, "DML not supported"),
        ({"sql": "COPY records TO '/tmp/records.csv'"}, 400, "DML not supported"),
        ({"sql": "SET datafusion.execution.batch_size = 1"}, 400, "Statement not supported"),
        ({"sql": "SELECT 1; SELECT 2"}, 400, "single SQL statement"),
        ({"sql": "SELECT * FROM '/etc/hosts'"}, 400, "not found"),
        ({"sql": "SELECT 'x'::int FROM records"}, 400, "Cannot cast string 'x'"),
        ({"token": "wrong"}, 401, "invalid read token"),
    ],
)
def test_a_bad_query_is_refused_with_a_sentence(
    stand_in: StandIn, body: dict[str, Any], status: int, sentence: str
) -> None:
    post(stand_in, traces(span()))
    answer = ask(stand_in, **body)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (status, True), answer.text


def test_times_and_limits_bound_the_rows(stand_in: StandIn) -> None:
    post(stand_in, traces(*(span(ago=60.0 * minute) for minute in range(130))))
    now = datetime.now(UTC)
    half, third = now - timedelta(minutes=30.5), now - timedelta(minutes=20.5)
    found = [
        ask(stand_in, min_timestamp=half.isoformat()),
        ask(stand_in, min_timestamp=half.isoformat(), max_timestamp=third.isoformat()),
    ]
    assert [answer.json()["data"][0]["n"] for answer in found] == [31, 10]
    day = (now - timedelta(hours=23)).isoformat()
    for limit, rows in ((None, 100), (3, 3), (10_000, 130)):
        sql = "SELECT span_name FROM records"
        data = ask(stand_in, sql=sql, min_timestamp=day, limit=limit).json()["data"]
        assert len(data) == rows


def test_an_environment_restricts_the_records(stand_in: StandIn) -> None:
    post(stand_in, traces(span(), environment="production"))
    post(stand_in, traces(span(), span(), environment="test"))
    assert ask(stand_in, deployment_environment=["production"]).json()["data"] == [{"n": 1}]


WEIGHT = "COALESCE((attributes->>'sampling.adjusted_count')::float, 1)"
BY_DURATION = "WITHIN GROUP (ORDER BY duration)"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("COUNT(*)", 11),
        (f"SUM({WEIGHT})", 101.0),
        (f"SUM({WEIGHT}) FILTER (WHERE level >= 'error')", 1.0),
        ("SUM((level > 'info')::int)", 1),
        ("COUNT(*) FILTER (WHERE level IN ('info', 'warn'))", 10),
        ("MAX(level_name(level))", "info"),
        (f"approx_percentile_cont(0.5) {BY_DURATION}", 0.1),
        (f"approx_percentile_cont_with_weight({WEIGHT}, 0.95) {BY_DURATION} < 0.5", True),
        ("approx_percentile_cont(duration, 0.5)", 0.1),
        ("COUNT(*) FILTER (WHERE attributes->>'agent' = 'a-1')", 1),
        ("MAX(attributes->'nested'->>'key')", "deep"),
        ("MAX(attributes->'nested'->'list'->>1)", "20"),
        ("MAX((attributes->'nested'->'list'->0)::int)", 10),
        ("COUNT(*) FILTER (WHERE attributes ? 'agent')", 1),
        ("MAX(attributes->>'quo\"te')", "yes"),
        ("COUNT(DISTINCT time_bucket('5 minutes', start_timestamp))", 1),
        ("COUNT(DISTINCT time_bucket(INTERVAL '1 hour', start_timestamp))", 1),
        ("COUNT(DISTINCT date_trunc('hour', start_timestamp))", 1),
        ("COUNT(*) FILTER (WHERE start_timestamp > now() - INTERVAL '5 minutes')", 11),
        ("COUNT(*) FILTER (WHERE array_has(tags, 'red') AND attributes ? 'agent')", 1),
        ("ROUND(MAX(EXTRACT(EPOCH FROM end_timestamp - start_timestamp)), 3)", 2.0),
        ("MAX(otel_resource_attributes->>'service.name')", "api"),
    ],
)
def test_the_sql_that_the_service_understands_works(
    stand_in: StandIn, expression: str, value: object
) -> None:
    counted = [span(seconds=0.1, attributes={"sampling.adjusted_count": 10.0}) for _ in range(10)]
    nested = {"key": "deep", "list": [10, 20]}
    failed = span(
        seconds=2.0,
        attributes={"agent": "a-1", "nested": nested, 'quo"te': "yes", "logfire.tags": ["red"]},
    )
    failed.status.code = 2  # type: ignore[assignment]
    post(stand_in, traces(*counted, failed))
    assert stand_in.query(f"SELECT {expression} AS value FROM records") == [{"value": value}]


def test_queries_on_an_empty_store_answer_with_no_rows(stand_in: StandIn) -> None:
    assert stand_in.query("SELECT trace_id FROM records") == []
    assert stand_in.query("SELECT attributes->>'x' AS x FROM metrics") == []
