"""Numbered traces over all agents, logs and samples, and which of them arrived."""

import time
from collections.abc import Sequence

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otelcol_runner.telemetry import gauge, log, trace_id
from pytest_otelcol.collector import Collector
from pytest_otelcol.sinks import OtlpSink

from stack.services.prometheus import Prometheus
from tests.faults.support.arrivals import samples_until
from tests.kubernetes.distribution.delivery import Delivery, Sent
from tests.support.background import Background
from tests.support.shapes import RESOURCE, request

TICK = 0.2  # seconds
TRACES = 10  # started in each tick
APART = 2  # ticks between a trace's spans: one at each agent
FAILING = 10  # every tenth trace has an error, in its last span
SAMPLE = "scale.sequence"
SERIES = SAMPLE.replace(".", "_")


class Traffic(Background):
    """Sends to every agent, as a context manager.

    The spans of a trace go to the agents in turn. Only acknowledged ones are recorded; `error`
    is the first refusal, which stops the traffic.
    """

    def __init__(self, agents: Sequence[Collector]) -> None:
        super().__init__("traffic")
        self.spans: dict[str, Sent] = {}
        self.logs: set[str] = set()
        self.failing: set[str] = set()  # traces with an error
        self.ticks = 0
        self._agents = agents
        self._begun: list[list[str]] = []  # traces, by tick

    def finish(self) -> None:
        """Complete every started trace, and stop. Raises an agent's refusal."""
        self.end()

    def _send(self) -> None:
        while not self._end.wait(TICK):
            self._tick([trace_id() for _ in range(TRACES)])
        for _ in range(APART * (len(self._agents) - 1)):
            self._tick([])

    def _tick(self, traces: list[str]) -> None:
        self._begun.append(traces)
        self.ticks += 1
        for number, agent in enumerate(self._agents):
            bodies = [f"{number}-{self.ticks}-{place}" for place in range(TRACES)]
            tick = gauge(SAMPLE, self.ticks, unit="{tick}")
            spans = self._spans_for(number)
            agent.send(*spans, *map(log, bodies), tick, resource=resource_of(number))
            now = time.time()
            self.logs.update(bodies)
            for span in spans:
                self.spans[span.span_id.hex()] = Sent(span.trace_id.hex(), number, now)

    def _spans_for(self, number: int) -> list[Span]:
        """Make an agent's spans of this tick: one of each trace, at each agent in turn."""
        agents, found = len(self._agents), []
        for step in range(min(agents, (self.ticks - 1) // APART + 1)):
            traces = self._begun[self.ticks - 1 - APART * step]
            last = step == agents - 1
            for place in range((number - step) % agents, len(traces), agents):
                fails = last and place % FAILING == 0
                code, status = (500, "ERROR") if fails else (202, "UNSET")
                found.append(request(trace=traces[place], code=code, status=status))
                self.failing |= {traces[place]} if fails else set()
        return found

    def delivery(self, ends: Sequence[OtlpSink], prometheus: Prometheus) -> Delivery:
        """Return what has arrived so far; the sinks are in the order of the gateways."""
        found = Delivery(self.spans, self.logs, samples=self.ticks * len(self._agents))
        for number, sink in enumerate(ends):
            for span in sink.spans:
                found.ends[span.span_id].append(number)
            found.logged.update(str(item.body) for item in sink.logs)
        for number in range(len(self._agents)):
            where = f'{SERIES}{{instance="{instance_of(number)}"}}[1d]'
            came = {value for _, value in samples_until(prometheus, where, time.time() + 60)}
            found.samples_lost += len(set(range(1, self.ticks + 1)) - came)
        return found


def instance_of(number: int) -> str:
    """Return the instance of the process that sends to an agent."""
    return f"api-{number}"


def resource_of(number: int) -> dict[str, str]:
    """Return the resource of the process that sends to an agent."""
    return {**RESOURCE, "service.instance.id": instance_of(number)}
