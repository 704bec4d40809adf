"""Evaluates Logfire's alerts, at the service or the stand-in."""

from alerts import queries
from alerts.model import Alert
from stack.clients.logfire import Logfire, Row, duration


def firing(logfire: Logfire, alert: Alert) -> list[Row]:
    """Return the rows for which an alert fires, none if it does not; raises `UserError`."""
    window = duration(queries.evaluated(alert).window)
    return logfire.rows(queries.sql(alert), since=window)
