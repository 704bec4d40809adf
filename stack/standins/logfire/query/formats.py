"""A query's result as JSON, NDJSON, CSV or an Arrow stream."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
from pydantic_core import from_json, to_json

from stack.standins.logfire.query.engine import is_json

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
# The names of types in the engine's own JSON.
NAMES = {
    "string": "Utf8",
    "string_view": "Utf8View",
    "large_string": "LargeUtf8",
    "bool": "Boolean",
    "double": "Float64",
    "float": "Float32",
    **{f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"UInt{bits}" for bits in (8, 16, 32, 64)},
}


def choose(accept: str) -> str:
    """Return the first supported format in an Accept header; JSON by default."""
    wanted = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return next((kind for kind in wanted if kind in (JSON, NDJSON, CSV, ARROW)), JSON)


def encode(table: pa.Table, kind: str, *, include_schema: bool) -> bytes:
    if kind == ARROW:
        return arrow(table)
    if kind == CSV:
        return csv(table)
    found = rows(table)
    if kind == NDJSON:
        return b"".join(json_text(row) + b"\n" for row in found)
    schema = {"schema": {"fields": fields(table.schema)}} if include_schema else {}
    return json_text({**schema, "data": found})


def json_text(value: object) -> bytes:
    """Return JSON: times in ISO 8601, NaN and infinity as null."""
    return to_json(value, inf_nan_mode="null", bytes_mode="base64", fallback=str)


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return rows as dictionaries, with JSON columns parsed."""
    columns = [
        [parsed(text) for text in column.to_pylist()] if is_json(field) else column.to_pylist()
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    names = table.column_names
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def parsed(text: str | None) -> Any:
    """Return the parsed value of a JSON column; a query may have turned it into other text."""
    try:
        return None if text is None else from_json(text)
    except ValueError:
        return text


def fields(schema: pa.Schema) -> list[dict[str, Any]]:
    return [
        {"name": field.name, "data_type": data_type(field.type), "nullable": field.nullable}
        for field in schema
    ]


def data_type(kind: pa.DataType) -> Any:
    """Return the engine's name of a type."""
    if pa.types.is_timestamp(kind):
        unit = {"s": "Second", "ms": "Millisecond", "us": "Microsecond", "ns": "Nanosecond"}
        return {"Timestamp": [unit[kind.unit], kind.tz]}
    if pa.types.is_list(kind):
        return {"List": {"name": "item", "data_type": data_type(kind.value_type)}}
    return NAMES.get(str(kind), str(kind))


def arrow(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def csv(table: pa.Table) -> bytes:
    """Return CSV; lists are written as JSON."""
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [json_text(value) for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    sink = io.BytesIO()
    pa.csv.write_csv(table, sink)
    return sink.getvalue()
