"""20,000 traces of the service, the same in every run, so that the same ones are kept."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.telemetry import span

from tests.support.shapes import agent, redis, request

TRACES = 20_000
PART = 500
SPANS_EACH = 4
SLOW_MS = 2000  # the configuration's default
# Uniform between bounds of the histogram, so that its quantiles are exact: from, to (s), share.
DURATIONS = {(0.010, 0.025): 0.60, (0.050, 0.100): 0.30, (0.250, 0.500): 0.10}
FATES = {"plain": 0.97, "refused": 0.01, "failed": 0.01, "slow": 0.01}


@dataclass(frozen=True)
class Trace:
    """One request and the task that it queued."""

    trace_id: str
    fate: str
    seconds: float

    def in_api(self) -> list[Span]:
        """Return the API's spans, which are sent first: the request and its enqueueing."""
        code, status = (500, "ERROR") if self.fate == "refused" else (202, "UNSET")
        served = request(code=code, status=status, duration=self.seconds, trace=self.trace_id)
        return [served, redis(trace=self.trace_id)]

    def in_worker(self) -> list[Span]:
        """Return the worker's spans, which are sent later: the task's execution."""
        outcome = "error" if self.fate == "failed" else "success"
        waited = span("process tasks", kind="CONSUMER", trace=self.trace_id, duration=3.0)
        return [waited, agent("summarize_document", outcome, trace=self.trace_id)]


def traces() -> list[Trace]:
    """Return TRACES traces, each with its fate."""
    draw = random.Random(17)
    return [_trace(draw) for _ in range(TRACES)]


def in_parts(found: Sequence[Trace]) -> Iterator[Sequence[Trace]]:
    """Yield the traces in parts of PART: one request each."""
    return (found[start : start + PART] for start in range(0, len(found), PART))


def _trace(draw: random.Random) -> Trace:
    trace_id = f"{draw.getrandbits(128):032x}"
    (fate,) = draw.choices(list(FATES), list(FATES.values()))
    (between,) = draw.choices(list(DURATIONS), list(DURATIONS.values()))
    if fate == "slow":
        between = (SLOW_MS / 1000 + 0.001, 5.0)
    return Trace(trace_id, fate, draw.uniform(*between))
