"""What scrubbing costs, in CPU time a span: the stage with, without, and part by part.

    python -m bench.redaction [--rounds=5] [--spans=60000]

The same binary, spans and rounds for each variant, in turn; the table in docs/redaction.md is
written from the medians.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.sender import Sender, export_requests
from pytest_otelcol.telemetry import span
from pytest_otelcol.views import Event

from stack import toolchain
from stack.paths import COLLECTOR, ROOT

Processors = dict[str, Any]
PAGE = ROOT / "docs" / "redaction.md"
BEGIN = "<!-- written by `python -m bench.redaction` from here -->"
COPIES = 20
NONE = "no pattern"
PIPE = "\\|"  # in a Markdown table
STAGE = ("transform/lend", "redaction/keys", "redaction", "transform/give_back")
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
    """Return the spans that a task makes in the API and the worker, in its own words."""
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


def body(requests: int = 100) -> bytes:
    """Return an export of this many requests' spans; one in a hundred fails with an exception."""
    spans = [each for _ in range(requests) for each in request()]
    failure = {"exception.type": "ValueError", "exception.message": "the text has no words"}
    trace = 'Traceback\n  File "app/agents.py", line 29, in execute\n' * 5
    spans[-1].events.append(
        span("x", events=[Event("exception", {**failure, "exception.stacktrace": trace})]).events[0]
    )
    return export_requests(spans, RESOURCE, "opentelemetry.instrumentation")[0][1]


def shipped() -> Processors:
    """Return the scrub stage of base.yaml."""
    found: Processors = yaml.safe_load((COLLECTOR / "base.yaml").read_text())["processors"]
    return {name: found[name] for name in STAGE}


def config(processors: Processors) -> dict[str, Any]:
    """Return a pipeline of these processors alone, that ends nowhere."""
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
    """Leave out what drops keys that hold a secret."""
    for group in stage["transform/lend"]["trace_statements"]:
        kept = [each for each in group["statements"] if not each.startswith("delete_matching")]
        group["statements"] = kept


def no_cards(stage: Processors) -> None:
    """Leave out card numbers."""
    values = stage["redaction"]["blocked_values"]
    stage["redaction"]["blocked_values"] = [each for each in values if r"4\d|5" not in each]


def email(stage: Processors) -> None:
    """Mask e-mail addresses with the usual pattern."""
    stage["redaction"]["blocked_values"][-1] = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"


def variants() -> dict[str, Processors]:
    """Return what is measured as a whole: name → processors."""
    return {
        "no scrubbing": {},
        "the whole stage": shipped(),
        "without `redaction` (patterns)": without(lambda stage: stage.pop("redaction")),
        "without `redaction/keys`": without(lambda stage: stage.pop("redaction/keys")),
        "without dropping keys that hold a secret": without(no_key_statements),
        "without card numbers": without(no_cards),
        "with e-mail addresses": without(email),
    }


def patterns() -> dict[str, Processors]:
    """Return each pattern alone, `COPIES` times, for CPU time comes in ticks of 10 ms."""
    redaction = shipped()["redaction"]
    listed = {each: [each] * COPIES for each in redaction["blocked_values"]}
    return {
        name: {"redaction": {**redaction, "blocked_values": values}}
        for name, values in {NONE: [], **listed}.items()
    }


def spent(collector: Collector, content: bytes, times: int) -> float:
    """Send the same export this often and return the collector's CPU seconds."""
    process = psutil.Process(collector.pid)
    before = sum(process.cpu_times()[:2])
    for _ in range(times):
        Sender(collector.endpoint).post("/v1/traces", content)
    time.sleep(0.2)  # what the last request leaves to the garbage collector
    return float(sum(process.cpu_times()[:2]) - before)


def collectors(
    stages: Mapping[str, Processors], stack: ExitStack
) -> Iterator[tuple[str, Collector]]:
    """Start a collector for each variant."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-redaction-")))
    otelcol = Otelcol(toolchain.collector())
    for number, (name, stage) in enumerate(stages.items()):
        path = folder / f"{number}.yaml"
        path.write_text(yaml.safe_dump(config(stage), width=10000))
        yield name, stack.enter_context(otelcol.run([path]))


def measure(stages: Mapping[str, Processors], rounds: int, spans: int) -> dict[str, float]:
    """Return the median CPU time in microseconds a span of each variant, taken in turn."""
    content = body()
    times = max(1, spans // 400)
    samples: dict[str, list[float]] = {name: [] for name in stages}
    with ExitStack() as stack:
        running = dict(collectors(stages, stack))
        for _ in range(rounds + 1):
            for name, collector in running.items():
                seconds = spent(collector, content, times)
                samples[name].append(seconds / times / 400 * 1e6)
    return {name: statistics.median(taken[1:]) for name, taken in samples.items()}


def table(figures: Mapping[str, float]) -> str:
    """Return the figures as Markdown; `more` is over no scrubbing."""
    base = figures["no scrubbing"]
    rows = [f"| {name} | {us:.1f} | {us - base:+.1f} |" for name, us in figures.items()]
    return "\n".join(["| variant | us a span | more |", "| --- | --- | --- |", *rows])


def pattern_table(figures: Mapping[str, float]) -> str:
    """Return what each pattern adds, in nanoseconds a span, the dearest first."""
    base = figures[NONE]
    added = {name: (us - base) / COPIES * 1000 for name, us in figures.items() if name != NONE}
    dearest = sorted(added.items(), key=lambda item: -item[1])
    rows = [f"| {ns:.0f} | `{name.replace('|', PIPE)}` |" for name, ns in dearest]
    return "\n".join(["| ns a span | pattern |", "| --- | --- |", *rows])


def main() -> None:
    """Measure, and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spans", type=int, default=60_000, help="in each round")
    given = parser.parse_args()
    whole = table(measure(variants(), given.rounds, given.spans))
    each = pattern_table(measure(patterns(), given.rounds, given.spans // 3))
    head = PAGE.read_text().split(BEGIN)[0]
    PAGE.write_text(f"{head}{BEGIN}\n\n{whole}\n\n{each}\n")
    print(whole)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
