"""Agents and gateways of the production overlay, as processes under traffic."""

import itertools
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.sinks import OtlpSink

from stack.clients.collector import SelfMetrics
from stack.services.prometheus import Prometheus
from stack.services.window import Window
from tests.kubernetes.distribution.delivery import Delivery
from tests.kubernetes.distribution.names import NAME, Names
from tests.kubernetes.distribution.traffic import Traffic
from tests.kubernetes.rendering import Pod
from tests.kubernetes.running import collector
from tests.support.ledger import ledger_prometheus

OVERLAY = "production"
REPORTS = {"SELF_METRICS_INTERVAL_MS": "300", "INFRASTRUCTURE_INTERVAL": "10s"}
QUIET = 3.0  # seconds without arrivals, after which what is missing counts as lost


@dataclass
class Fleet:
    """Running agents and gateways; `gateways[n]` writes spans and logs to `ends[n]`."""

    binary: Otelcol
    folder: Path
    stack: ExitStack
    names: Names
    ledger: Prometheus  # also the metrics backend
    wait: float  # seconds that a gateway waits for a trace's spans
    settings: dict[str, str]  # of the gateways
    port: int = field(default_factory=free_port)
    gateways: list[Collector] = field(default_factory=list)
    ends: list[OtlpSink] = field(default_factory=list)
    agents: list[Collector] = field(default_factory=list)
    free: Iterator[int] = field(default_factory=lambda: iter(range(11, 255)))  # of 127.0.0.x

    def add_gateway(self) -> int:
        """Start one more gateway, unknown to the agents; returns its number."""
        number = len(self.gateways)
        sink = self.stack.enter_context(OtlpSink(f"logfire behind gateway {number}"))
        variables = {
            "AGENTS_LISTEN": self._address(),
            "INSTANCE_NAME": f"gateway-{number}",
            "LOGFIRE_ENDPOINT": sink.url,
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": self.ledger.remote_write_endpoint,
            "TRACE_DECISION_WAIT": f"{self.wait:g}s",
            **self._reports(),
            **self.settings,
        }
        queue = self.folder / f"gateway-{number}"
        running = collector(self.binary, Pod(OVERLAY, "gateway"), queue, variables)
        self.gateways.append(self.stack.enter_context(running))
        self.stack.enter_context(Window(self.gateways[number].env))
        self.ends.append(sink)
        return number

    def add_agent(self) -> None:
        """Start one more agent, with the manifests' resolver."""
        pod, number = Pod(OVERLAY, "agent"), len(self.agents)
        resolver = yaml.safe_load(pod.environment("collector")["GATEWAYS"])
        assert resolver["dns"]["hostname"] == NAME
        resolver["dns"]["port"] = str(self.port)
        variables = {
            "GATEWAYS": json.dumps(resolver),
            "GATEWAY_ENDPOINT": f"{NAME}:{self.port}",
            "HOST_NAME": f"node-{number}",
            **self._reports(),
        }
        program = Otelcol(self.names.program, self.binary.arguments)
        running = collector(program, pod, self.folder / f"agent-{number}", variables)
        self.agents.append(self.stack.enter_context(running))

    def move(self, number: int) -> None:
        """Start a stopped gateway at another address, as a new pod on the same volume."""
        self.gateways[number].env["AGENTS_LISTEN"] = self._address()
        self.gateways[number].start()

    def tell(self, numbers: Iterable[int]) -> tuple[float, float]:
        """Publish these gateways and wait until all agents know them.

        Returns when the answer changed, and when the last agent had it (seconds since 1970).
        """
        before = self._heard()
        listening = [self.gateways[number].env["AGENTS_LISTEN"] for number in numbers]
        self.names.answer(address.rpartition(":")[0] for address in listening)
        changed = time.time()

        def all_heard() -> bool:
            return all(now > then for then, now in zip(before, self._heard(), strict=True))

        poll_until(all_heard, "the new gateways known to every agent", timeout=40)
        return changed, time.time()

    def settle(self, traffic: Traffic, *, timeout: float = 120.0) -> Delivery:
        """Stop the traffic, wait until all arrived or nothing more arrives, and return it."""
        traffic.finish()
        since, before = time.monotonic(), -1

        def settled() -> Delivery | None:
            nonlocal since, before
            found = traffic.delivery(self.ends, self.ledger)
            if found.arrived != before:
                since, before = time.monotonic(), found.arrived
            quiet = time.monotonic() - since > QUIET + (self.wait if found.lost else 0)
            return found if quiet and not self._waiting() else None

        return poll_until(settled, "the end of the arrivals", timeout=timeout, interval=0.5)

    def _address(self) -> str:
        return f"127.0.0.{next(self.free)}:{self.port}"

    def _reports(self) -> dict[str, str]:
        return {**REPORTS, "SELF_LAST_REPORT_ENDPOINT": self.ledger.last_report_endpoint}

    def _heard(self) -> list[float]:
        """Return how often each agent's list of gateways has changed."""
        metrics = (SelfMetrics.of(agent.env) for agent in self.agents)
        return [one.total("loadbalancer_num_backend_updates") for one in metrics]

    def _waiting(self) -> float:
        """Return how many bytes of spans and logs are queued; some metrics always are."""
        running = [one for one in (*self.agents, *self.gateways) if one.running]
        metrics = [SelfMetrics.of(one.env) for one in running]
        return sum(
            one.total("exporter_queue_size", data_type=kind)
            for one, kind in itertools.product(metrics, ("traces", "logs"))
        )


@contextmanager
def run_fleet(
    binary: Otelcol, folder: Path, *, size: int = 3, wait: float = 3.0, percent: int = 100
) -> Iterator[Fleet]:
    """Run `size` agents and as many gateways, which keep `percent` of the traces without errors."""
    names = Names(folder / "names", binary.binary)
    names.check()
    with ExitStack() as stack:
        ledger = stack.enter_context(ledger_prometheus(folder / "ledger"))
        settings = {"TRACE_SAMPLE_PERCENT": str(percent)}
        fleet = Fleet(binary, folder, stack, names, ledger, wait, settings)
        fleet.tell([fleet.add_gateway() for _ in range(size)])
        for _ in range(size):
            fleet.add_agent()
        yield fleet
