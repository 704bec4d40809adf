"""The SQL of the alerts that Logfire evaluates, with the matrix's numbers in it."""

import re
from string import Template

from alerts.model import ROOM, Alert, LogfireQuery

FOLDER = ROOM.parent / "logfire" / "alerts"


def file_name(alert: Alert) -> str:
    """Return the name of an alert's SQL file: its own in small letters, words apart."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", alert.name).lower() + ".sql"


def evaluated(alert: Alert) -> LogfireQuery:
    """Return how Logfire evaluates an alert; raises `ValueError` when it does not."""
    if alert.logfire is None:
        raise ValueError(f"{alert.name} is not evaluated by Logfire")
    return alert.logfire


def sql(alert: Alert) -> str:
    """Return the query as the service runs it: a row means that the alert fires.

    Raises:
        KeyError: the file asks for a number that the matrix does not have.
    """
    query = evaluated(alert)
    numbers = {"threshold": query.threshold, **query.numbers}
    text = (FOLDER / file_name(alert)).read_text()
    return Template(text).substitute({name: f"{value:.15g}" for name, value in numbers.items()})
