"""Both backends, as the doctor asks them about services."""

from dataclasses import dataclass, field

import httpx

from stack.clients.logfire import Logfire, Row
from stack.clients.prometheus import PromQL
from stack.doctor.promql import WINDOW
from stack.errors import UserError

Series = list[tuple[dict[str, str], float]]
MOST_ROWS = 10_000  # the most that Logfire returns


@dataclass
class Backends:
    """The query APIs of Logfire and Prometheus.

    Args:
        logfire: asked about the last `WINDOW`.
        prometheus: its URL, or None when metrics are expected at Logfire.
    """

    logfire: Logfire
    prometheus: str | None
    problems: list[str] = field(default_factory=list)
    logfire_answers: bool = True
    prometheus_answers: bool = True

    def sql(self, query: str) -> list[Row]:
        """Return the rows of a query; none, and no further query, once one has failed."""
        if not self.logfire_answers:
            return []
        try:
            return self.logfire.rows(query, since=WINDOW, limit=MOST_ROWS)
        except UserError as error:
            self.logfire_answers = False
            self.problems.append(str(error))
            return []

    def promql(self, query: str) -> Series:
        """Return the series of a query; none, and no further query, once one has failed."""
        if self.prometheus is None or not self.prometheus_answers:
            return []
        try:
            with PromQL(self.prometheus) as api:
                return api.series(query)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError) as error:
            self.prometheus_answers = False
            self.problems.append(f"Prometheus at {self.prometheus} answers no query ({error})")
            return []


def job_of(row: Row) -> str:
    """Return the name that a service has in Prometheus: `service.namespace/service.name`."""
    name, namespace = row["service_name"] or "unknown_service", row["service_namespace"]
    return f"{namespace}/{name}" if namespace else name
