"""Rewrites Logfire's SQL extensions to SQL that DataFusion understands."""

import re
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from datafusion import SessionContext, udf
from pydantic_core import from_json
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.parsers.postgres import PostgresParser

from stack.standins.logfire.ingest.values import text_of

EXTENDED = re.compile(r"->|\?|\blevel\b|\btime_bucket\b", re.IGNORECASE)
PLAIN = re.compile(
    r"[\w.-]*[A-Za-z_][\w.-]*", re.ASCII
)  # not an array index, and without characters that JSON escapes
LEVELS = {"trace": 1, "debug": 5, "info": 9, "notice": 10, "warn": 13, "error": 17, "fatal": 21}
LEVEL_NAMES = {number: name for name, number in LEVELS.items()}
JSON_STEPS = (exp.JSONExtract, exp.JSONExtractScalar)
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In)


class PlainParser(PostgresParser):
    """Postgres syntax with unchanged function calls, and in which `->` is never a lambda."""

    LAMBDAS: ClassVar = {}
    FUNCTIONS: ClassVar = {}


class Service(Postgres):
    Parser = PlainParser


def rewrite(sql: str) -> str:
    """Return the SQL with JSON operators, `time_bucket` and level names translated.

    A query without them, or that cannot be parsed, is returned unchanged: the engine's error
    message is the better one.
    """
    if not EXTENDED.search(sql):
        return sql
    try:
        statements = sqlglot.parse(sql, dialect=Service)
    except SqlglotError:
        return sql
    if len(statements) != 1 or statements[0] is None:
        return sql
    return rewritten(statements[0]).sql(dialect=Service)


def rewritten(tree: exp.Expr) -> exp.Expr:
    """Replace what DataFusion lacks; JSON operators may be nested."""
    for node in list(tree.walk()):
        if isinstance(node, JSON_STEPS):
            node.replace(json_get(node.this, node.expression))
        elif isinstance(node, exp.JSONBContainsTopKey):
            found = exp.Is(this=json_get(node.this, node.expression), expression=exp.Null())
            node.replace(exp.Paren(this=exp.Not(this=found)))
        elif isinstance(node, exp.Anonymous) and node.name.lower() == "time_bucket":
            node.replace(time_bucket(*node.expressions))
        elif isinstance(node, COMPARISONS):
            level_as_number(node)
    return tree


def json_get(document: exp.Expr, key: exp.Expr) -> exp.Expr:
    """Return the function call for one `->` or `->>`; sqlglot wraps a key in a path."""
    if isinstance(key, exp.JSONPath):
        key = exp.Literal.string(key.expressions[-1].this)
    if isinstance(key, exp.Literal):
        key = exp.Literal.string(key.this)
    return exp.Anonymous(this="json_get_str", expressions=[document, key])


def time_bucket(width: exp.Expr, time: exp.Expr) -> exp.Expr:
    if isinstance(width, exp.Literal):
        width = exp.Interval(this=width)
    return exp.Anonymous(this="date_bin", expressions=[width, time])


def level_as_number(comparison: exp.Expr) -> None:
    """Replace level names by numbers in comparisons with a column `level`."""
    sides = [side for side in comparison.args.values() if isinstance(side, exp.Expr)]
    if any(isinstance(side, exp.Column) and side.name.lower() == "level" for side in sides):
        for literal in list(comparison.find_all(exp.Literal)):
            if literal.is_string and literal.name.lower() in LEVELS:
                literal.replace(exp.Literal.number(LEVELS[literal.name.lower()]))


def register_functions(context: SessionContext) -> None:
    """Register the functions of rewritten queries, and `level_num` and `level_name`."""
    text, whole = pa.string(), pa.int64()
    context.register_udf(udf(json_get_str, [text, text], text, "immutable", "json_get_str"))
    context.register_udf(udf(level_num, [text], whole, "immutable", "level_num"))
    context.register_udf(udf(level_name, [whole], text, "immutable", "level_name"))


def json_get_str(documents: pa.Array, keys: pa.Array) -> pa.Array:
    """Return the value of a key in JSON objects as text; NULL if it is missing."""
    if len(documents) == 0:
        return pa.array([], pa.string())
    key = keys[0].as_py()
    if key is None or pc.count_distinct(keys).as_py() != 1:
        pairs = zip(documents.to_pylist(), keys.to_pylist(), strict=True)
        return pa.array([get(document, key) for document, key in pairs], pa.string())
    # Search for the key's text first, to avoid parsing most documents.
    needle = f'"{key}"' if PLAIN.fullmatch(key) else ""
    candidates = pc.if_else(pc.match_substring(documents, needle), documents, None)
    return pa.array([get(document, key) for document in candidates.to_pylist()], pa.string())


def get(document: str | None, key: str | None) -> str | bytes | None:
    """Return one value as text (non-strings as JSON); the key of an array is an index."""
    if document is None or key is None:
        return None
    try:
        parsed: Any = from_json(document)
    except ValueError:
        return None
    if isinstance(parsed, dict):
        return text_of(parsed.get(key))
    if isinstance(parsed, list) and key.isdigit() and int(key) < len(parsed):
        return text_of(parsed[int(key)])
    return None


def level_num(names: pa.Array) -> pa.Array:
    return pa.array([LEVELS.get((name or "").lower()) for name in names.to_pylist()], pa.int64())


def level_name(numbers: pa.Array) -> pa.Array:
    return pa.array([LEVEL_NAMES.get(number) for number in numbers.to_pylist()], pa.string())
