"""Runs one query: read-only SQL on the rows of a time range."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext, SQLOptions
from pydantic import AwareDatetime, BaseModel, Field

from stack.standins.logfire.query.sql import register_functions, rewrite
from stack.standins.logfire.schema import IS_JSON
from stack.standins.logfire.store import Store

QUERY_BYTES = 256 * 2**20
READ_ONLY = SQLOptions().with_allow_ddl(False).with_allow_dml(False).with_allow_statements(False)


class Query(BaseModel):
    """The body of `POST /v2/query`; times need a time zone."""

    sql: str
    min_timestamp: AwareDatetime
    max_timestamp: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    deployment_environment: list[str] | None = None
    include_schema: bool = False


@dataclass(frozen=True)
class SqlError(Exception):
    """The query engine rejected the query; the message is the engine's."""

    message: str


def run(query: Query, store: Store) -> pa.Table:
    """Return the result as an Arrow table; raises `SqlError`.

    Each query has its own context on a snapshot, so it cannot affect other queries.
    """
    try:
        context = session(query, store)
        frame = context.sql_with_options(rewrite(query.sql), READ_ONLY)
        return frame.limit(query.limit).to_arrow_table()
    except Exception as error:  # the engine raises bare exceptions
        raise SqlError(message_of(error)) from error


def session(query: Query, store: Store) -> SessionContext:
    """Return a context with the two tables, limited memory and no disk."""
    runtime = RuntimeEnvBuilder().with_greedy_memory_pool(QUERY_BYTES).with_disk_manager_disabled()
    # One partition: the Python functions share the GIL anyway, and small queries start faster.
    config = SessionConfig().with_target_partitions(1).with_information_schema(True)
    context = SessionContext(config, runtime)
    register_functions(context)
    newest = None if query.max_timestamp is None else microseconds(query.max_timestamp)
    for name, table in store.tables.items():
        batches = store.snapshot(name, microseconds(query.min_timestamp), newest)
        if query.deployment_environment is not None and name == "records":
            batches = [of_environment(batch, query.deployment_environment) for batch in batches]
        context.register_record_batches(name, [batches or [empty(table.schema)]])
    return context


def microseconds(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)


def empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)


def of_environment(batch: pa.RecordBatch, environments: list[str]) -> pa.RecordBatch:
    """Return the rows of these environments; an empty name means that none is set."""
    names = pc.fill_null(batch.column("deployment_environment"), "")
    return batch.filter(pc.is_in(names, value_set=pa.array(environments, pa.string())))


def is_json(field: pa.Field) -> bool:
    """Return whether a result column comes from a JSON column, also after a rename."""
    return (field.metadata or {}).get(b"is_json") == IS_JSON["is_json"].encode()


def message_of(error: Exception) -> str:
    return str(error).removeprefix("DataFusion error: ").strip()
