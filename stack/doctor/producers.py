"""Lists the services that both backends know from the last minutes, and what is wrong with them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from stack.doctor.backends import Backends, job_of
from stack.doctor.promql import FROM_SPANS, counted, text
from stack.doctor.repeated import exported_twice
from stack.doctor.signals import SERVICE
from stack.doctor.twice import instrumented_twice
from stack.doctor.unsampled import not_sampled

RECORDS = """
SELECT service_namespace, service_name, kind, otel_scope_name, COUNT(*) AS items
FROM records WHERE kind IN ('span', 'log')
GROUP BY service_namespace, service_name, kind, otel_scope_name
"""
METRICS_AT_LOGFIRE = """
SELECT service_namespace, service_name, COUNT(DISTINCT metric_name) AS items
FROM metrics GROUP BY service_namespace, service_name
"""
# Those of the last 5 minutes, without what the collector makes of spans.
SERIES = f'count by (job) ({{job!="", __name__!~"{FROM_SPANS}"}})'
REQUESTS = f"sum by (job) ({counted('agentical_requests_total')})"


@dataclass
class Producer:
    """One service: what of it is at the backends.

    Args:
        name: as in Prometheus' label `job`.
        spans: by instrumentation scope, as kept at Logfire.
        logs: the same.
        metrics: how many series, or at Logfire metric names, the service itself sends.
        requests: counted by the collector before sampling.
        findings: sentences.
    """

    name: str
    spans: Counter[str] = field(default_factory=Counter)
    logs: Counter[str] = field(default_factory=Counter)
    metrics: int = 0
    requests: float = 0.0
    findings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "spans": dict(self.spans.most_common()),
            "logs": dict(self.logs.most_common()),
            "metrics": self.metrics,
            "requests": round(self.requests),
            "findings": self.findings,
        }

    @property
    def silent(self) -> bool:
        """Whether nothing of it is at any backend."""
        return not (self.spans or self.logs or self.metrics or self.requests)


class Found(dict[str, Producer]):
    """The services by name; a new one appears when it is asked for."""

    def __missing__(self, name: str) -> Producer:
        self[name] = Producer(name)
        return self[name]


def producers(backends: Backends) -> list[Producer]:
    """Return the services of the last minutes, without the doctor itself."""
    found = Found()
    at_logfire(backends, found)
    for labels, value in backends.promql(SERIES):
        found[labels["job"]].metrics = int(value)
    for labels, value in backends.promql(REQUESTS):
        found[labels.get("job", "no job")].requests = value
    for twice in instrumented_twice(backends):
        found[twice.service].findings.append(twice.sentence)
    for job, sentence in exported_twice(backends).items():
        found[job].findings.append(sentence)
    for job, sentence in not_sampled(backends).items():
        found[job].findings.append(sentence)
    found.pop(SERVICE, None)
    return [found[name] for name in sorted(found) if not found[name].silent]


def at_logfire(backends: Backends, found: Found) -> None:
    for row in backends.sql(RECORDS):
        producer = found[job_of(row)]
        by_scope = producer.spans if row["kind"] == "span" else producer.logs
        by_scope[row["otel_scope_name"] or "no scope"] += row["items"]
    if backends.prometheus is None:
        for row in backends.sql(METRICS_AT_LOGFIRE):
            found[job_of(row)].metrics = row["items"]


def routes(backends: Backends, name: str) -> list[dict[str, Any]]:
    """Return a service's requests by method, route and status, the most frequent first."""
    counter = f"agentical_requests_total{{job={text(name)}}}"
    series = backends.promql(f"sum by (method, endpoint, status) ({counted(counter)})")
    rows = [
        {
            "method": labels.get("method", ""),
            "endpoint": labels.get("endpoint", ""),
            "status": labels.get("status", ""),
            "requests": round(value),
        }
        for labels, value in series
        if value >= 0.5
    ]
    return sorted(rows, key=lambda row: -row["requests"])
