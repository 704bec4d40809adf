"""The service's spans, and the scrub stage as a whole, in parts and with more formats."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.sender import export_requests
from otelcol_runner.telemetry import key_values, span
from otelcol_runner.views import Event

from generate import catalogue
from generate.rows import leading
from generate.scrub import literal
from stack.paths import COLLECTOR

Processors = dict[str, Any]
SPANS = 2000  # per export
SCOPE = "opentelemetry.instrumentation.fastapi"
SHARED = "transform/expose_shared"  # before the sampler
EXPOSES = (SHARED, "transform/expose")
STAGE = (
    *(SHARED, "redaction/keys", "transform/expose", "redaction/find", "transform/cut"),
    *("redaction", "transform/write_back"),
)
INSERT = """
INSERT INTO tasks (task_id, agent_id, task_type)
SELECT $1, agent_id, $3 FROM agents WHERE agent_id = $2 RETURNING true
"""
NET = {"server.address": "127.0.0.1", "server.port": 5432, "network.transport": "tcp"}
CLIENT = {"user_agent.original": "python-httpx/0.28.1", "client.address": "127.0.0.1"}
HTTP = {"url.scheme": "http", "network.protocol.version": "1.1", "http.response.status_code": 200}
RESOURCE = {
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.45.1",
    "service.instance.id": "2c8e2203-d5b8-4d43-85e3-afba85454334",
    "service.name": "agentical-api",
    "service.version": "0.1.0",
}


def request() -> list[Span]:
    """Return a task's spans of the API and the worker, with their real texts."""
    route = "/agents/{agent_id}/tasks"
    served: dict[str, object] = {
        "http.request.method": "POST",
        "url.path": "/agents/researcher/tasks",
    }
    served |= {"http.route": route, **HTTP, **CLIENT, **NET}
    sql = {"db.system.name": "postgresql", "db.namespace": "agentical", "db.query.text": INSERT}
    command = {"db.system.name": "redis", "db.query.text": "XADD ? ? ? ? ? ? ? ?\nXLEN ?"}
    agent = {"agent_id": "researcher", "task_type": "word_statistics", "duration_ms": 0.2}
    return [
        span(f"POST {route}", served, kind="SERVER"),
        span("INSERT", {**sql, **NET}, kind="CLIENT"),
        span("XADD XLEN", {**command, "db.redis.pipeline_length": 2, **NET}, kind="CLIENT"),
        span("agent_execution", {**agent, "status": "success"}),
    ]


def body(requests: int = 500) -> bytes:
    """Return an export of this many requests' spans; one in a hundred fails with an exception."""
    spans = [each for _ in range(requests) for each in request()]
    for failed in spans[3::400]:
        failed.events.append(span("x", events=[exception()]).events[0])
    return export_requests(spans, RESOURCE, SCOPE)[0][1]


def sampled(requests: int = 500) -> bytes:
    """Return the same spans as a sampler emits them: each trace with a resource of its own."""
    [whole] = ExportTraceServiceRequest.FromString(body(requests)).resource_spans
    spans = whole.scope_spans[0].spans
    whole.scope_spans[0].scope.attributes.extend(key_values({"tailsampling.policy": "baseline"}))
    export = ExportTraceServiceRequest()
    for first in range(0, len(spans), len(request())):
        trace = export.resource_spans.add(resource=whole.resource)
        inside = trace.scope_spans.add(scope=whole.scope_spans[0].scope)
        inside.spans.extend(spans[first : first + len(request())])
    content: bytes = export.SerializeToString()
    return content


def exception() -> Event:
    """Return what a failed agent leaves on its span."""
    failure = {"exception.type": "ValueError", "exception.message": "the text has no words"}
    trace = 'Traceback\n  File "app/tasks/execution.py", line 29, in execute\n' * 5
    return Event("exception", {**failure, "exception.stacktrace": trace})


def shipped() -> Processors:
    """Return the stage of scrub.yaml."""
    found: Processors = yaml.safe_load((COLLECTOR / "scrub.yaml").read_text())["processors"]
    return {name: found[name] for name in STAGE}


def config(processors: Processors) -> dict[str, Any]:
    """Return a pipeline of only these processors and the nop exporter."""
    names = [name for name in STAGE if name in processors]
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": "${env:OTLP_HTTP_LISTEN}"}}}},
        "processors": processors,
        "exporters": {"file": {"path": "/dev/null"}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                "traces": {"receivers": ["otlp"], "processors": names, "exporters": ["file"]}
            },
        },
    }


def without(change: Callable[[Processors], None]) -> Processors:
    """Return the stage after `change`."""
    stage = deepcopy(shipped())
    change(stage)
    return stage


def no_key_statements(stage: Processors) -> None:
    """Leave out the statements that drop keys of secrets."""
    for group in [each for name in EXPOSES for each in stage[name]["trace_statements"]]:
        kept = [each for each in group["statements"] if not each.startswith("delete_matching")]
        group["statements"] = kept


def no_names(stage: Processors) -> None:
    """Leave out what follows a name, and card numbers."""
    del stage["redaction/find"], stage["transform/cut"]


def no_shape(stage: Processors) -> None:
    """Check every text, short lower-case words included."""
    del stage["redaction"]["allowed_values"]


def email(stage: Processors) -> None:
    """Mask e-mail addresses with the usual pattern."""
    stage["redaction"]["blocked_values"][-1] = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"


def variants() -> dict[str, Processors]:
    """Return the variants of the whole stage: name → processors."""
    return {
        "no scrubbing": {},
        "the whole stage": shipped(),
        "without what follows a name (`redaction/find`, `transform/cut`)": without(no_names),
        "without tokens (`redaction`)": without(lambda stage: stage.pop("redaction")),
        "without `redaction/keys`": without(lambda stage: stage.pop("redaction/keys")),
        "without dropping keys that hold a secret": without(no_key_statements),
        "without `allowed_values`": without(no_shape),
        "with e-mail addresses": without(email),
    }


# A log message: no shape in `allowed_values` lets it pass unread.
MESSAGE = (
    "GET http://inventory.example:8080/items?page=2: retried after 503 Service Unavailable, "
    "2 of 5 attempts, next in 4,000 ms"
)


def messages() -> bytes:
    """Return an export of spans with one message each."""
    return export_requests([span("retry", {"note": MESSAGE})] * SPANS, RESOURCE, SCOPE)[0][1]


def growth() -> dict[str, Processors]:
    """Return the stage with this many formats of tokens; some of the last are made up."""
    return {"no scrubbing": {}, **{str(count): with_tokens(count) for count in (50, 100, 200)}}


def with_tokens(count: int) -> Processors:
    """Return the stage with this many formats of tokens, drawn evenly from the catalogue."""
    rows = catalogue.read()
    known = [token for token in rows.tokens if not token.find]
    # Backwards, the beginnings of formats are as rare in texts as they are forwards.
    made_up = [
        replace(token, pattern=f"{leading(token.pattern)[::-1]}[A-Za-z0-9]{{32}}")
        for token in known
        if leading(token.pattern).isalpha()
    ]
    tokens = [*known, *made_up][:: max(1, len(known) // count)][:count]
    stage = shipped()
    patterns = replace(rows, tokens=tuple(tokens)).blocked()
    stage["redaction"]["blocked_values"] = list(map(literal, patterns))
    return stage
