"""`agentical alerts`: which of Logfire's alerts would fire now."""

import sys

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerts.model import Alert, matrix
from stack.clients.evaluation import firing
from stack.clients.logfire import Logfire, Row
from stack.clients.query import shown


def alerts() -> None:
    """Evaluate Logfire's alerts now, at the service or the stand-in; exit code 1 if one fires.

    Logfire evaluates them by itself. The stand-in does not, so there this command replaces it.
    """
    logfire_alerts = [alert for alert in matrix().alerts if alert.logfire is not None]
    with Logfire.from_environment() as logfire:
        found = [(alert, firing(logfire, alert)) for alert in logfire_alerts]
    # When piped, no cell is wrapped to a terminal's width.
    width = None if sys.stdout.isatty() else 10_000
    Console(width=width, highlight=False).print(as_table(found))
    if any(rows for _, rows in found):
        raise typer.Exit(1)


def as_table(found: list[tuple[Alert, list[Row]]]) -> Table:
    table = Table("alert", "severity", "fires", "first row")
    for alert, rows in found:
        fires = Text("yes", "red") if rows else Text("no", "green")
        table.add_row(alert.name, alert.severity, fires, Text(first_row(rows)))
    return table


def first_row(rows: list[Row]) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in rows[0].items()) if rows else ""
