"""Logfire's dashboards, generated from `logfire/dashboards.yaml` and the saved queries.

The format is the one that Logfire's UI exports: Perses, with Logfire's query plugins. Keys that the
service drops on import are left out, otherwise every Terraform plan would show a change.
`$resolution` is provided by the service: a variable of that name would shadow it.
"""

import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, TypeAdapter

from alerts.model import ROOM, Strict

FOLDER = ROOM.parent / "logfire"
WRITTEN = FOLDER / "dashboards"
COLUMNS, HEIGHT = 24, 8
Json = dict[str, Any]


class Panel(Strict):
    """A query and its visualization; `by` and `values` are columns of a chart's query."""

    title: str
    query: str
    kind: Literal["TimeSeriesChart", "Table", "Values"]
    by: str = ""
    values: tuple[str, ...] = ()
    width: int = Field(ge=1, le=COLUMNS)


class Board(Strict):
    """A dashboard; `variables` are text inputs that its queries refer to."""

    slug: str
    name: str
    variables: tuple[str, ...] = ()
    panels: tuple[Panel, ...]


def boards() -> tuple[Board, ...]:
    """Read `logfire/dashboards.yaml`; raises `pydantic.ValidationError`."""
    text = (FOLDER / "dashboards.yaml").read_text()
    return TypeAdapter(tuple[Board, ...]).validate_python(yaml.safe_load(text))


def statement(query: str) -> str:
    """Return the SQL of a saved query."""
    return (FOLDER / "queries" / f"{query}.sql").read_text()


def files() -> dict[Path, str]:
    """Return the content of every generated file by its path."""
    return {
        WRITTEN / f"{b.slug}.json": json.dumps(definition(b), indent=2) + "\n" for b in boards()
    }


def definition(board: Board) -> Json:
    """Return a dashboard in the format that Logfire imports."""
    return {
        "kind": "Dashboard",
        "metadata": {"name": board.slug},
        "spec": {
            "display": {"name": board.name, "description": None},
            "panels": {panel.query: drawn(panel) for panel in board.panels},
            "layouts": [{"kind": "Grid", "spec": {"items": placed(board.panels)}}],
            "variables": [text_variable(name) for name in board.variables],
            "duration": "1h",
            "refreshInterval": "0s",
            "datasources": {},
        },
    }


def drawn(panel: Panel) -> Json:
    """Return a panel in the format that Logfire imports."""
    chart = panel.kind == "TimeSeriesChart"
    kind = "TimeSeriesQuery" if chart else "NonTimeSeriesQuery"
    asked: Json = {"query": statement(panel.query)}
    if chart:  # without these the chart stays empty, without an error
        asked |= {"groupBy": panel.by, "metrics": list(panel.values)}
    return {
        "kind": "Panel",
        "spec": {
            "display": {"name": panel.title},
            "plugin": {
                "kind": panel.kind,
                "spec": {"legend": {"position": "bottom"}} if chart else {},
            },
            "queries": [
                {"kind": kind, "spec": {"plugin": {"kind": f"Logfire{kind}", "spec": asked}}}
            ],
        },
    }


def placed(panels: tuple[Panel, ...]) -> list[Json]:
    """Return the panels' positions, in rows from left to right."""
    places: list[Json] = []
    x = y = 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        content = {"$ref": f"#/spec/panels/{panel.query}"}
        places.append({"x": x, "y": y, "width": panel.width, "height": HEIGHT, "content": content})
        x += panel.width
    return places


def text_variable(name: str) -> Json:
    """Return a text input; in SQL it is replaced by a quoted string."""
    return {"kind": "TextVariable", "spec": {"name": name, "value": ""}}
