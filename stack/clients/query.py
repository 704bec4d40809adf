"""`agentical query`: SQL at Logfire or the stand-in."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.clients.logfire import Logfire, Row, duration


def query(
    sql: Annotated[str, typer.Argument(help="A SELECT on the tables `records` and `metrics`.")],
    since: Annotated[str, typer.Option(help="How far to look back: 90s, 15m, 1h, 7d.")] = "1h",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of rows.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Run SQL at Logfire, or at the local stand-in."""
    span = duration(since)
    with Logfire.from_environment() as logfire:
        rows = logfire.rows(sql, since=span, limit=limit)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif rows:
        # When piped, no cell is wrapped to a terminal's width.
        Console(width=None if sys.stdout.isatty() else 10_000).print(as_table(rows))
    else:
        typer.echo(f"no rows in the last {since}")


def as_table(rows: list[Row]) -> Table:
    """Return the rows as a table; nested values are shown as JSON."""
    table = Table()
    for name in rows[0]:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text(shown(value)) for value in row.values()))
    return table


def shown(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
