"""OTLP values as Python values and JSON, and the columns of scopes and resources."""

import base64
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from pydantic_core import to_json

Attributes = dict[str, Any]
SIMPLE = frozenset({"string_value", "int_value", "bool_value", "double_value"})
SMALLINT, INTEGER = 2**15, 2**31


def value_of(value: AnyValue) -> Any:
    """Return the Python value; bytes as base64 text, as in OTLP's JSON."""
    kind = value.WhichOneof("value")
    if kind in SIMPLE:
        return getattr(value, kind)
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return None


def attributes_of(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: value_of(pair.value) for pair in pairs}


def json_of(value: object) -> bytes:
    """Return JSON text; NaN and infinity, which JSON does not have, become null."""
    return to_json(value, inf_nan_mode="null")


def text_of(value: object) -> str | bytes | None:
    return value if value is None or isinstance(value, str) else json_of(value)


def number_of(value: object, limit: int) -> int | None:
    """Return an integer that fits the column, or None: an attribute may have any type."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and -limit <= value < limit else None


def scope_columns(scope: InstrumentationScope) -> tuple[Any, ...]:
    return scope.name or None, scope.version or None, json_of(attributes_of(scope.attributes))


def resource_columns(resource: Resource) -> tuple[Any, ...]:
    attributes = attributes_of(resource.attributes)
    get = attributes.get
    environment = get("deployment.environment.name", get("deployment.environment"))
    return (
        json_of(attributes),
        text_of(environment),
        text_of(get("service.namespace")),
        text_of(get("service.name")),
        text_of(get("service.version")),
        text_of(get("service.instance.id")),
        number_of(get("process.pid"), INTEGER),
        text_of(get("telemetry.sdk.name")),
        text_of(get("telemetry.sdk.language")),
        text_of(get("telemetry.sdk.version")),
    )
