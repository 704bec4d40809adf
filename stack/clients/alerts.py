"""`agentical alerts`: which of the alerts that Logfire evaluates would fire now."""

import sys

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerts import queries
from alerts.model import Alert, matrix
from stack.clients.logfire import Logfire, Row, duration
from stack.clients.query import shown


def alerts() -> None:
    """Ask Logfire, or the stand-in, which alerts fire; exit code 1 when one does.

    The service evaluates them by itself, and the stand-in does not: there this is the way.
    """
    asked = [alert for alert in matrix().alerts if alert.logfire is not None]
    with Logfire.from_environment() as logfire:
        found = [(alert, firing(logfire, alert)) for alert in asked]
    # Piped, no terminal's width may break a cell.
    width = None if sys.stdout.isatty() else 10_000
    Console(width=width, highlight=False).print(as_table(found))
    if any(rows for _, rows in found):
        raise typer.Exit(1)


def firing(logfire: Logfire, alert: Alert) -> list[Row]:
    """Return the rows with which an alert fires, none when it does not; raises `UserError`."""
    window = duration(queries.evaluated(alert).window)
    return logfire.rows(queries.sql(alert), since=window)


def as_table(found: list[tuple[Alert, list[Row]]]) -> Table:
    """Return one line for each alert, with what its first row says."""
    table = Table("alert", "severity", "fires", "because")
    for alert, rows in found:
        fires = Text("yes", "red") if rows else Text("no", "green")
        table.add_row(alert.name, alert.severity, fires, Text(because(rows)))
    return table


def because(rows: list[Row]) -> str:
    """Return what the first row says."""
    return ", ".join(f"{name} {shown(value)}" for name, value in rows[0].items()) if rows else ""
