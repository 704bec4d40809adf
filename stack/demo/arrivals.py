"""Counts the telemetry that arrived, by backend and signal."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from stack.clients.collector import SelfMetrics
from stack.clients.logfire import Logfire
from stack.clients.prometheus import PromQL
from stack.pipeline.launch import Pipeline

COUNT_SERIES = 'count by (__name__) ({__name__=~"(agentical|system|postgresql|redis)_.+"})'
SOURCES = {"agentical": "service", "system": "host", "postgresql": "postgresql", "redis": "redis"}
# Without the worker's requests for documents, and without the metric probe's.
COUNT_REQUESTS = (
    'sum(agentical_requests_total{endpoint!="/health"}) - (sum(agentical_requests_total'
    '{method="GET",endpoint="/documents/{document_id}"}) or vector(0))'
)
SENT = {"traces": "exporter_sent_spans", "logs": "exporter_sent_log_records"}


@dataclass(frozen=True)
class Backend:
    """A backend where telemetry has to arrive.

    `units` names the signals to expect and the unit of their count. `count` returns the count of
    each; it raises `UserError` or `httpx.HTTPError` if the backend cannot be queried.
    """

    name: str
    units: Mapping[str, str]
    count: Callable[[], Mapping[str, int]]


class Records:
    """Counts the service's traces and logs at Logfire, and its metric names if they go there.

    Each call counts what arrived since the previous one: the stand-in forgets old rows, and a count
    from the start would cost more every minute. A trace is counted by its root span or, where the
    trace probe is the caller, by the API's span; the metric probe's requests of /health are not
    counted, so the count is that of the requests sent.
    """

    SQL = """
    SELECT SUM(CASE WHEN kind <> 'span' OR span_name = 'GET /health' THEN 0
                    WHEN parent_span_id IS NULL THEN 1
                    WHEN span_name = 'POST /agents/{agent_id}/tasks' THEN 1
                    ELSE 0 END) AS traces,
           SUM(CASE WHEN kind = 'log' THEN 1 ELSE 0 END) AS logs,
           MAX(created_at) AS newest
    FROM records WHERE service_name IN ('agentical-api', 'agentical-worker')
    """
    METRICS = "SELECT COUNT(DISTINCT metric_name) AS metrics FROM metrics"

    def __init__(self, logfire: Logfire, *, metrics: bool) -> None:
        self._logfire, self._metrics = logfire, metrics
        self._since = datetime.now(UTC)
        self._newest = self._since.isoformat()
        self._counts = Counter[str]()

    def __call__(self) -> dict[str, int]:
        since = datetime.now(UTC) - self._since + timedelta(seconds=1)
        (row,) = self._logfire.rows(f"{self.SQL} AND created_at > '{self._newest}'", since=since)
        if newest := row.pop("newest"):
            self._newest = newest
            self._counts.update(row)
        if self._metrics:
            self._counts |= Counter(self._logfire.rows(self.METRICS, since=since)[0])
        return dict(self._counts)


def backends(
    pipeline: Pipeline, logfire: Logfire | None, prometheus: PromQL | None
) -> list[Backend]:
    """Return the backends of the pipeline's route, queried by these two clients."""
    found = [records(pipeline, logfire)] if pipeline.route_has("otlp_http/logfire") else []
    if prometheus is not None:
        units = {"requests": "counted"} | dict.fromkeys(SOURCES.values(), "series")
        found.append(Backend("Prometheus", units, partial(count_series, prometheus)))
    return found


def records(pipeline: Pipeline, logfire: Logfire | None) -> Backend:
    """Return Logfire; without a read token, count what it accepted from the collector."""
    if logfire is None:
        sent = partial(count_sent, pipeline.self_metrics_url)
        return Backend("Logfire", {"traces": "spans", "logs": "logs"}, sent)
    metrics = pipeline.route_has("metrics/logfire")
    units = {"traces": "traces", "logs": "logs"} | ({"metrics": "metrics"} if metrics else {})
    return Backend("Logfire", units, Records(logfire, metrics=metrics))


def count_series(api: PromQL) -> dict[str, int]:
    """Return the counted requests, and the number of series by source, known by their names."""
    counts = Counter(requests=int(api.number(COUNT_REQUESTS)))
    for name, series in api.by("__name__", COUNT_SERIES).items():
        counts[SOURCES[name.partition("_")[0]]] += int(series)
    return dict(counts)


def count_sent(self_metrics_url: str) -> dict[str, int]:
    """Return how many spans and logs the collector's exporter has sent to Logfire."""
    metrics = SelfMetrics.read(self_metrics_url)
    return {
        signal: int(metrics.total(name, exporter="otlp_http/logfire"))
        for signal, name in SENT.items()
    }
