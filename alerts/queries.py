"""The SQL of the alerts that Logfire evaluates, with the matrix's numbers filled in."""

import re
from string import Template

from alerts.model import ROOM, Alert, LogfireQuery

FOLDER = ROOM.parent / "logfire" / "alerts"


def file_name(alert: Alert) -> str:
    """Return the name of an alert's SQL file: the alert's name in snake case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", alert.name).lower() + ".sql"


def evaluated(alert: Alert) -> LogfireQuery:
    """Return how Logfire evaluates an alert; raises `ValueError` if it does not."""
    if alert.logfire is None:
        raise ValueError(f"{alert.name} is not evaluated by Logfire")
    return alert.logfire


def sql(alert: Alert) -> str:
    """Return the query as Logfire runs it: the alert fires if it returns a row.

    Raises:
        KeyError: the file has a placeholder that the matrix has no number for.
    """
    query = evaluated(alert)
    numbers = {"threshold": query.threshold, **query.numbers}
    text = (FOLDER / file_name(alert)).read_text()
    return Template(text).substitute({name: f"{value:.15g}" for name, value in numbers.items()})
