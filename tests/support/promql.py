"""Which series a query reads, and whether a running Prometheus has them.

Prometheus itself parses the query (`/api/v1/parse_query`), so all of PromQL is supported.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

Node = dict[str, Any]
Labels = frozenset[str]
SETS = {"and", "or", "unless"}
NO_LABEL: Labels = frozenset()


class QueryError(ValueError):
    """Prometheus rejects the query; the message says why."""


@dataclass(frozen=True)
class Series:
    """A selector of a query, and the labels that its series must have."""

    selector: str
    name: str
    labels: Labels


def series_of(expr: str, url: str) -> list[Series]:
    """Return the series that a query reads, parsed by the Prometheus at `url`.

    The labels are those that the query groups by, matches on or renames.

    Raises:
        QueryError: it is not valid PromQL.
        OSError: Prometheus is unreachable.
    """
    answer = ask(f"{url}/api/v1/parse_query", expr)
    if answer["status"] != "success":
        raise QueryError(f"{answer['error']} in {expr}")
    return list(dict.fromkeys(read(answer["data"], NO_LABEL)))


def missing(expr: str, url: str, seconds: float = 600.0) -> list[str]:
    """Return a sentence for each series or label that had no sample within `seconds`.

    Raises the errors of `series_of`.
    """
    found = (lack(series, url, seconds) for series in series_of(expr, url))
    return [sentence for sentence in found if sentence]


def lack(series: Series, url: str, seconds: float) -> str:
    """Return a sentence on what a series lacks; empty if nothing."""
    query = f"last_over_time({series.selector}[{seconds:.0f}s])"
    answer = ask(f"{url}/api/v1/query", query)["data"]["result"]
    if not answer:
        return f"there is no {series.selector}"
    carried = set().union(*(one["metric"] for one in answer))
    unknown = sorted(series.labels - carried)
    return f"{series.selector} has no label {', '.join(unknown)}" if unknown else ""


def ask(url: str, query: str) -> dict[str, Any]:
    """Return Prometheus' response to a query, also if it is an error."""
    try:
        with urlopen(f"{url}?{urlencode({'query': query})}", timeout=10) as response:
            answer: dict[str, Any] = json.load(response)
    except HTTPError as error:
        answer = json.load(error)
    return answer


def read(node: Node, wanted: Labels) -> Iterator[Series]:
    """Yield the series that a node reads; its result must have the labels `wanted`."""
    match node["type"]:
        case "vectorSelector" | "matrixSelector":
            yield selected(node, wanted)
        case "aggregation":
            grouping = frozenset(node["grouping"])
            yield from read(node["expr"], wanted | grouping if node["without"] else grouping)
        case "binaryExpr":
            yield from read_binary(node, wanted)
        case "call" if node["func"]["name"] in {"label_replace", "label_join"}:
            vector, target, *others = node["args"]
            sources = frozenset(label_sources(node["func"]["name"], others))
            yield from read(vector, wanted - {target["val"]} | sources)
        case _:
            for part in parts(node):
                yield from read(part, wanted)


def read_binary(node: Node, wanted: Labels) -> Iterator[Series]:
    """Yield the series on both sides of an operator; the result has the labels of the left one."""
    matching = node["matching"] or {"labels": [], "on": False}
    on = frozenset(matching["labels"]) if matching["on"] else NO_LABEL
    right = wanted | on if node["op"] == "or" or not matching["on"] else on
    yield from read(node["lhs"], wanted | on)
    yield from read(node["rhs"], right if node["op"] not in SETS - {"or"} else on)


def label_sources(function: str, arguments: list[Node]) -> list[str]:
    """Return the source labels of label_replace or label_join."""
    named = arguments[1:2] if function == "label_replace" else arguments[1:]
    return [argument["val"] for argument in named if argument["val"]]


def parts(node: Node) -> list[Node]:
    """Return the child nodes of a call, a subquery or parentheses."""
    inner = [node["expr"]] if "expr" in node else []
    return inner + list(node.get("args", ()))


def selected(node: Node, wanted: Labels) -> Series:
    """Return a selector with the labels it must have, including those of non-empty matchers."""
    name = node["name"]
    matchers = [m for m in node["matchers"] if not (name and m["name"] == "__name__")]
    text = ",".join(f"{m['name']}{m['type']}{quoted(m['value'])}" for m in matchers)
    own = {m["name"] for m in matchers if m["type"] in {"=", "=~"} and m["value"]}
    return Series(f"{name}{{{text}}}" if text else name, name, wanted | own - {"__name__"})


def quoted(text: str) -> str:
    """Return a string literal in PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
