"""What arrived of one producer at both backends, and the row that the table has of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from otelcol_runner.views import Log, Span
from pytest_otelcol.remote_write import Series

from tests.producers.producers import Producer
from tests.producers.traffic import (
    BROKEN,
    HEALTH,
    ITEMS,
    LAST,
    MISSING,
    MOUNTED,
    PROBES,
    Request,
)
from tests.support.pipeline import Pipeline

Item = TypeVar("Item", Span, Log)
Key = tuple[str, ...]
Row = dict[str, str]
HEADER = "http.request.header."
EXTRA = (HEALTH, LAST)
OPEN = ("agentical_active_connections", "http_server_active_requests")


@dataclass(frozen=True)
class Findings:
    """What arrived of a producer.

    Attributes:
        producer: the producer.
        requests: what it was sent.
        series: its series, at Prometheus.
        spans: its spans, at Logfire, without pending ones.
        logs: its log records, at Logfire.
    """

    producer: Producer
    requests: list[Request] = field(repr=False)
    series: list[Series] = field(repr=False)
    spans: list[Span] = field(repr=False)
    logs: list[Log] = field(repr=False)

    @property
    def servers(self) -> list[Span]:
        """Its SERVER spans of the forty requests."""
        return [one for one in self.spans if one.kind == "SERVER" and path_of(one) not in EXTRA]

    @property
    def mounted(self) -> str:
        """The route of what is mounted at `/v2`, as the producer reports it."""
        return str(self._of(MOUNTED).attributes.get("http.route", ""))

    def endpoint(self, request: Request) -> str:
        """Return the `endpoint` that a request is counted under."""
        known = {ITEMS: self.producer.route, MOUNTED: self.mounted, MISSING: "unmatched"}
        for start, endpoint in known.items():
            if request.path.startswith(start):
                return endpoint
        return request.path if self.producer.route.startswith("/") else request.path[1:]

    def sent(self, *, statuses: bool) -> Counter[Key]:
        """Return how many requests were sent by method, endpoint and, if asked for, status."""
        keys = ((one.method, self.endpoint(one), str(one.status)) for one in self.requests)
        return Counter(key if statuses else key[:2] for key in keys)

    def counted(self, metric: str, *labels: str) -> Counter[Key]:
        """Return a metric's values by these labels, of the forty; each has to be one series.

        Raises:
            AssertionError: two series have the same labels.
        """
        found: Counter[Key] = Counter()
        for series in self.series:
            key = tuple(series.labels.get(label, "") for label in labels)
            if series.name == metric and f"/{key[1].lstrip('/')}" not in EXTRA:
                assert key not in found, f"two series {metric} of {self.producer.name} with {key}"
                found[key] = int(series.value)
        return found

    def row(self) -> Row:
        """Return what the table says of the producer."""
        item, broken = self._of(ITEMS), self._of(BROKEN)
        captured = [f"`{key}`" for key in item.attributes if key.startswith(HEADER)]
        paths = Counter(path_of(span) for span in self.spans if span.kind == "SERVER")
        return {
            "way": self.producer.way,
            "route": code(self.producer.route),
            "mounted": code(self.mounted),
            "unknown": code(self._of(MISSING).name.replace("/missing/3", "/missing/..")),
            "forbidden": "error" if self._of("/forbidden").status == "ERROR" else "no error",
            "open": yes(any(series.name in OPEN for series in self.series)),
            "more": listed(self.beside(item)),
            "exception": self.exception(broken),
            "logs": self.own_logs(),
            "header": ", ".join(captured) or "no",
            "excluded": {0: "yes", PROBES: "no"}[paths[HEALTH]],
            "end": {0: "lost", 1: "sent"}[paths[LAST]],
        }

    def beside(self, server: Span) -> list[str]:
        """Return the names of the other spans in a request's trace."""
        names = [span.name for span in self.spans if span.trace_id == server.trace_id]
        names.remove(server.name)
        return [name.removeprefix(f"{server.name} ") for name in names]

    def exception(self, server: Span) -> str:
        """Return where the exception of a request is recorded."""
        trace = [span for span in self.spans if span.trace_id == server.trace_id]
        having = [span for span in trace if any(one.name == "exception" for one in span.events)]
        logs = [log for log in self.logs if log.trace_id == server.trace_id]
        places = ["on its span"] if server in having else []
        places += [f"on `{span.name}`" for span in having if span is not server][:1]
        places += (
            ["a log record"] if any("exception.type" in log.attributes for log in logs) else []
        )
        return ", ".join(places) or "no"

    def own_logs(self) -> str:
        """Return how a record of Python's `logging` arrives."""
        if logs := [log for log in self.logs if log.body == "order taken"]:
            return "with their trace" if all(log.trace_id for log in logs) else "without a trace"
        return "as spans" if any(span.name == "order taken" for span in self.spans) else "no"

    def _of(self, start: str) -> Span:
        """Return the last SERVER span of a path that begins so, of a trace that is known."""
        found = {path_of(span): span for span in self.servers if path_of(span).startswith(start)}
        assert found, f"{self.producer.name} sent no SERVER span of {start}"
        return found[max(found)]


def findings(pipeline: Pipeline, producer: Producer, requests: list[Request]) -> Findings:
    """Return what has arrived of a producer."""
    spans = of(producer, pipeline.logfire.spans)
    pending = ("logfire.span_type", "pending_span")
    return Findings(
        producer,
        requests,
        pipeline.prometheus.series(labels={"job": producer.name}),
        [span for span in spans if pending not in span.attributes.items()],
        of(producer, pipeline.logfire.logs),
    )


def of(producer: Producer, items: Iterable[Item]) -> list[Item]:
    return [item for item in items if item.resource.get("service.name") == producer.name]


def path_of(span: Span) -> str:
    return str(span.attributes.get("url.path", ""))


def code(text: str) -> str:
    return f"`{text}`"


def yes(found: object) -> str:
    return "yes" if found else "no"


def listed(names: list[str]) -> str:
    """Return names as a cell, each once with its number."""
    counts = sorted(Counter(names).items())
    each = ((f"{count} " if count > 1 else "") + code(name) for name, count in counts)
    return ", ".join(each) or "none"
