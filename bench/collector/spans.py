"""Export requests as the service's SDK sends them, encoded once and replayed under new trace ids.

The traces are the service's own: a task is accepted by the API (four spans) and run by a worker
(four spans), which exports them in a request of its own. One trace in 128 has an error, one is
slow. A request holds 512 spans, the SDK's own limit.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from otelcol_runner.telemetry import key_values, span

TRACES = 128  # in a request: 512 spans; of each, one fails and one is slow
PER_TRACE = 8
ID_BYTES = 16
ERROR, SLOW = 0, 1  # which of a request's traces
SLOW_SECONDS = 3.0  # above our 2 s, and the 1 s of Logfire's documented configuration
TASKS = {"messaging.system": "redis", "messaging.destination.name": "tasks"}
REDIS = {
    "db.system.name": "redis",
    "db.redis.pipeline_length": 2,
    "server.address": "127.0.0.1",
    "server.port": 6379,
    "network.transport": "tcp",
}
POSTGRES = {
    "db.system.name": "postgresql",
    "db.namespace": "agentical",
    "server.address": "127.0.0.1",
    "server.port": 5432,
    "network.transport": "tcp",
}
STORE = """
INSERT INTO tasks (task_id, agent_id, task_type)
SELECT $1, agent_id, $3 FROM agents WHERE agent_id = $2 RETURNING true
"""
FINISH = """
INSERT INTO tasks (task_id, agent_id, task_type, status, result, error, duration_ms, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now())
ON CONFLICT (task_id) DO UPDATE SET status = EXCLUDED.status, result = EXCLUDED.result,
  error = EXCLUDED.error, duration_ms = EXCLUDED.duration_ms, finished_at = EXCLUDED.finished_at
WHERE tasks.status = 'queued'
"""
Scopes = dict[str, list[Span]]


@dataclass
class Template:
    """An encoded request; `places` are the offsets of the trace ids, by trace."""

    body: bytearray
    places: list[list[int]]
    spans: int

    def under(self, ids: bytes) -> bytearray:
        """Return the body under these trace ids, 16 bytes each; it is written in place."""
        body = self.body
        for number, places in enumerate(self.places):
            trace_id = ids[number * ID_BYTES : (number + 1) * ID_BYTES]
            for place in places:
                body[place : place + ID_BYTES] = trace_id
        return body

    def copy(self) -> Self:
        """Return a copy for another connection, since the body is overwritten in place."""
        return replace(self, body=bytearray(self.body))


@dataclass
class Pair:
    """The same traces as the API and as the worker export them."""

    api: Template
    worker: Template

    def copy(self) -> Self:
        """Return a copy for another connection."""
        return replace(self, api=self.api.copy(), worker=self.worker.copy())


def pairs(routes: int, processes: int, traces: int = TRACES) -> list[Pair]:
    """Return requests of this many processes, which together serve `routes` distinct routes.

    `traces` is how many a request holds; each process makes at least `TRACES`.
    """
    each = max(processes, -(-max(routes, TRACES) // traces))
    return [_pair(number, routes, processes, traces) for number in range(each)]


def ids(seed: int, traces: int = TRACES) -> Iterator[bytes]:
    """Yield the trace ids of each pair, the same for the same seed."""
    source = random.Random(seed)  # noqa: S311 - not for secrets
    while True:
        yield source.randbytes(traces * ID_BYTES)


def _pair(number: int, routes: int, processes: int, traces: int) -> Pair:
    source = random.Random(number)  # noqa: S311 - not for secrets
    markers = [source.randbytes(ID_BYTES) for _ in range(traces)]
    api: Scopes = {}
    worker: Scopes = {}
    for place, marker in enumerate(markers, number * traces):
        slow, failed = place % TRACES == SLOW, place % TRACES == ERROR
        _api_spans(api, marker.hex(), place % routes, slow=slow)
        _worker_spans(worker, marker.hex(), failed=failed)
    process = number % processes
    return Pair(
        _template("agentical-api", process, api, markers),
        _template("agentical-worker", process, worker, markers),
    )


def _template(service: str, process: int, scopes: Scopes, markers: list[bytes]) -> Template:
    groups = [
        ScopeSpans(scope=InstrumentationScope(name=name, version="0.66b1"), spans=spans)
        for name, spans in scopes.items()
    ]
    resource = Resource(attributes=key_values(_resource(service, process)))
    request = ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=groups)]
    )
    body = request.SerializeToString()
    places = [[at.start() for at in re.finditer(re.escape(marker), body)] for marker in markers]
    return Template(bytearray(body), places, sum(map(len, scopes.values())))


def _resource(service: str, process: int) -> Mapping[str, object]:
    return {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.0",
        "service.name": service,
        "service.version": "0.1.0",
        "service.instance.id": f"{service}-{process}",
        "deployment.environment.name": "production",
    }


def _api_spans(scopes: Scopes, trace: str, route: int, *, slow: bool) -> None:
    path = f"/agents/{{agent_id}}/tasks-{route}"
    http = {
        "url.scheme": "http",
        "server.address": "127.0.0.1:8000",
        "server.port": 8000,
        "network.protocol.version": "1.1",
        "url.path": f"/agents/archivist/tasks-{route}",
        "http.request.method": "POST",
        "user_agent.original": "python-httpx/0.28.1",
        "client.address": "127.0.0.1",
        "client.port": 44366,
        "http.route": path,
        "http.response.status_code": 202,
    }
    duration = SLOW_SECONDS if slow else 0.007
    server = span(f"POST {path}", http, kind="SERVER", trace=trace, duration=duration)
    _add(scopes, "opentelemetry.instrumentation.fastapi", server)
    _statement(scopes, trace, server, STORE)
    sent = {**TASKS, "messaging.operation.name": "send", "messaging.operation.type": "send",
            "messaging.message.id": "cfeb7512-ad3e-491b-9f2a-641b1d4bf485",
            "messaging.queue.depth": 1}  # fmt: skip
    parent = server.span_id.hex()
    send = span("send tasks", sent, kind="PRODUCER", trace=trace, parent=parent, duration=0.002)
    _add(scopes, "app.tasks.queue", send)
    _command(scopes, trace, send, "XADD XLEN", "XADD ? ? ? ? ? ? ? ? ? ? ? ?\nXLEN ?")


def _worker_spans(scopes: Scopes, trace: str, *, failed: bool) -> None:
    taken = {**TASKS, "messaging.operation.name": "process",
             "messaging.operation.type": "process", "messaging.message.delivery_count": 1,
             "messaging.message.id": "cfeb7512-ad3e-491b-9f2a-641b1d4bf485"}  # fmt: skip
    process = span("process tasks", taken, kind="CONSUMER", trace=trace, duration=0.006)
    _add(scopes, "app.tasks.queue", process)
    done = {"agent_id": "archivist", "task_type": "word_statistics", "duration_ms": 0.193,
            "status": "error" if failed else "success"}  # fmt: skip
    status, parent = ("ERROR" if failed else "UNSET"), process.span_id.hex()
    agent = span("agent_execution", done, trace=trace, parent=parent, status=status)
    _add(scopes, "app.tasks.execution", agent)
    _statement(scopes, trace, process, FINISH)
    _command(scopes, trace, process, "XACK XDEL", "XACK ? ? ?\nXDEL ? ?")


def _statement(scopes: Scopes, trace: str, parent: Span, text: str) -> None:
    attributes = {**POSTGRES, "db.query.text": text}
    item = span("INSERT", attributes, kind="CLIENT", trace=trace, parent=parent.span_id.hex())
    _add(scopes, "opentelemetry.instrumentation.asyncpg", item)


def _command(scopes: Scopes, trace: str, parent: Span, name: str, text: str) -> None:
    attributes = {**REDIS, "db.query.text": text}
    item = span(name, attributes, kind="CLIENT", trace=trace, parent=parent.span_id.hex())
    _add(scopes, "opentelemetry.instrumentation.redis", item)


def _add(scopes: Scopes, scope: str, item: Span) -> None:
    scopes.setdefault(scope, []).append(item)
