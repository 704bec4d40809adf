"""A collector that is killed or restarted exports what one that is left alone exports."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import trace_id

from stack.services.window import Window
from tests.support.pipeline import PRODUCTION, Pipeline, StartPipeline
from tests.support.shapes import query, request

WAIT = 2  # seconds until a trace is decided, and up to one more
STEPS, STEP = 40, 0.1  # seconds
DELAYS = (0, 5, 15, 38)  # steps; the last one is longer than the wait
TRACES = 20  # that begin in each step
Exported = Counter[tuple[str, str, float]]  # trace, span, weight

pytestmark = pytest.mark.timeout(180)


def killed(pipeline: Pipeline, window: Window) -> None:
    pipeline.collector.kill()
    pipeline.collector.start()


def restarted(pipeline: Pipeline, window: Window) -> None:
    pipeline.collector.restart()


def killed_while_replaying(pipeline: Pipeline, window: Window) -> None:
    before = window.output()
    killed(pipeline, window)
    poll_until(lambda: window.output() != before, "a replay", timeout=10, interval=0.01)
    killed(pipeline, window)


def killed_with_the_program(pipeline: Pipeline, window: Window) -> None:
    window.kill()
    killed(pipeline, window)
    window.start()


FAULTS = (killed, restarted, killed_while_replaying, killed_with_the_program)


@pytest.mark.parametrize("percent", ["10", "100"])
def test_disturbed_collectors_export_what_an_undisturbed_one_does(
    start_pipeline: StartPipeline, percent: str
) -> None:
    variables = {"TRACE_DECISION_WAIT": f"{WAIT}s", "TRACE_SAMPLE_PERCENT": percent}
    alone, *others = (start_pipeline(*PRODUCTION, **variables) for _ in range(1 + len(FAULTS)))
    steps = made(random.Random(percent))
    with ExitStack() as stack:
        windows = [stack.enter_context(Window(each.collector.env)) for each in others]
        with ThreadPoolExecutor() as threads:
            feeds = [threads.submit(feed, alone, steps, lambda: None)]
            for fault, pipeline, window in zip(FAULTS, others, windows, strict=True):
                feeds.append(
                    threads.submit(feed, pipeline, steps, partial(fault, pipeline, window))
                )
            for fed in feeds:
                fed.result()
        wanted = settled(alone)
        for fault, pipeline in zip(FAULTS, others, strict=True):
            poll_until(
                lambda: ids(exported(pipeline)) == ids(wanted),  # noqa: B023
                f"{wanted.total()} spans, each once, where {fault.__name__}",
                timeout=3 * WAIT + 10,
                seen=lambda: difference(wanted, exported(pipeline)),  # noqa: B023
            )
        settled(others[0])
        for fault, pipeline in zip(FAULTS, others, strict=True):
            seen = exported(pipeline)
            # An orderly stop decides what waits. If an error comes after it, what had been exported
            # keeps its weight.
            same = ids if fault is restarted else Counter[tuple[str, str, float]]
            assert same(seen) == same(wanted), f"{fault.__name__}: {difference(wanted, seen)}"


def feed(pipeline: Pipeline, steps: Sequence[list[Span]], fault: Callable[[], None]) -> None:
    """Send the spans of each step at its time; what a fault delays, right after it."""
    begin = time.monotonic()
    for number, spans in enumerate(steps):
        if number == STEPS // 2:
            fault()
        time.sleep(max(0.0, begin + number * STEP - time.monotonic()))
        pipeline.collector.send(*spans)


def made(chance: random.Random) -> list[list[Span]]:
    """Return the spans of each step: of traces of two or three spans, some of them late."""
    steps: list[list[Span]] = [[] for _ in range(STEPS + round(3 * WAIT / STEP))]
    for step in range(STEPS):
        for _ in range(TRACES):
            trace, failed = trace_id(), chance.random() < 0.1
            # A part comes with the first span, within the wait, or after the decision.
            steps[step].append(request(trace=trace))
            steps[step + chance.choice(DELAYS)].append(query(trace=trace))
            if failed:
                late = request("GET", "/late", trace=trace, status="ERROR")
                steps[step + chance.choice(DELAYS[:-1])].append(late)
    return steps


def exported(pipeline: Pipeline) -> Exported:
    """Return how often each span was exported, with its weight."""
    return Counter(
        (item.trace_id, item.span_id, float(str(item.attributes["sampling.adjusted_count"])))
        for item in pipeline.logfire.spans
    )


def ids(spans: Exported) -> Counter[tuple[str, str]]:
    """Return how often each span was exported, whatever its weight."""
    return Counter((trace, span) for trace, span, _ in spans.elements())


def settled(pipeline: Pipeline) -> Exported:
    """Wait until all traces are decided, and return what was exported."""

    def quiet() -> Exported | None:
        before = exported(pipeline)
        time.sleep(WAIT + 2)
        return before if before == exported(pipeline) else None

    return poll_until(quiet, "the end of the exports", timeout=60)


def difference(wanted: Exported, seen: Exported) -> str:
    """Say how two exports differ."""
    missing, surplus = wanted - seen, seen - wanted
    return f"{missing.total()} missing, {surplus.total()} too many: {list(surplus)[:3]}"
