"""Gateways are killed, added and restarted under traffic: losses, duplicates, split traces."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import log, trace_id
from pytest_otelcol.collector import Collector, Otelcol

from stack.clients.collector import SelfMetrics
from stack.clients.prometheus import PromQL
from tests.faults.support.outcome import record
from tests.kubernetes.distribution.delivery import Delivery
from tests.kubernetes.distribution.fleet import Fleet, run_fleet
from tests.kubernetes.distribution.scale import (
    A_SECOND,
    JOINED,
    KILLED,
    ROLLED,
    STEADY,
    WAIT,
    Run,
    outcome,
    split,
)
from tests.kubernetes.distribution.traffic import Traffic, instance_of
from tests.support.ledger import LOGFIRE, assert_balanced
from tests.support.shapes import request

TO_GATEWAYS = ("load_balancing/gateways", "otlp_grpc/gateway")

pytestmark = pytest.mark.timeout(1800)
StartFleet = Callable[..., "Run"]


@pytest.fixture
def start(whole: Otelcol, tmp_path: Path) -> Iterator[StartFleet]:
    """Start a fleet under traffic, with the arguments of `run_fleet`."""
    with ExitStack() as stack:

        def started(**arguments: int) -> Run:
            fleet = stack.enter_context(run_fleet(whole, tmp_path, wait=WAIT, **arguments))
            run = Run(fleet, stack.enter_context(Traffic(fleet.agents)))
            run.go_on()
            return run

        yield started


def test_a_trace_over_three_agents_is_decided_once_and_every_request_is_counted(
    start: StartFleet,
) -> None:
    run = start(percent=10)
    found, lines = run.finish()
    came, kept = set(found.ends), {found.spans[span].trace for span in found.ends}
    torn = [span for span, sent in found.spans.items() if sent.trace in kept and span not in came]
    assert run.traffic.failing <= kept
    assert len(run.traffic.failing) < len(kept) < len(found.traces) / 2
    metrics = [SelfMetrics.of(gateway.env) for gateway in run.fleet.gateways]
    assert min(one.total("receiver_accepted_spans") for one in metrics) > 0
    assert not found.split
    assert lines["traces", "stages"].sampled_out == len(found.lost)
    assert lines["traces", LOGFIRE].delivered == len(came)
    note = (
        f"{len(kept):,} of {len(found.traces):,} traces kept, {len(run.traffic.failing)} for "
        f"an error; {len(found.lost):,} spans left out, as the ledger says"
    )
    record(STEADY, outcome(found, note, {"spans": len(torn)}))
    assert_counted(run, found)
    assert_gateways_agree(run.fleet)


def assert_counted(run: Run, found: Delivery) -> None:
    """Wait until the agents' counters match what was sent, each in one series with one writer."""
    took = Counter(instance_of(sent.agent) for sent in found.spans.values())
    with PromQL(run.fleet.ledger.url) as prometheus:

        def counted() -> dict[str, float]:
            return prometheus.by("instance", "sum by (instance) (agentical_requests_total)")

        poll_until(lambda: counted() == took, f"requests counted: {took}", seen=counted)
        writers = "count without (gateway) (agentical_requests_total) > 1"
        assert prometheus.number(writers) == 0


def assert_gateways_agree(fleet: Fleet) -> None:
    """Send the same error-free traces to every gateway directly: each must keep the same ones."""
    route, traces = "/the-same", [trace_id() for _ in range(300)]
    for gateway in fleet.gateways:
        gateway.send(*(request(route=route, trace=trace) for trace in traces), log(route))

    def kept() -> list[set[str]]:
        spans = [[span for span in sink.spans if route in span.name] for sink in fleet.ends]
        return [{span.trace_id for span in found} for found in spans]

    fleet.ends[0].wait_for(lambda _: all(kept()), "some at each", timeout=WAIT + 20)
    fleet.ends[0].wait_for(lambda _: len(set(map(frozenset, kept()))) == 1, "the same at each")
    assert len(kept()[0]) < len(traces) / 2


def test_a_killed_gateway_loses_nothing(start: StartFleet) -> None:
    run = start()
    fleet = run.fleet
    run.go_on(WAIT)
    fleet.ends[0].refuse(503)
    run.go_on()
    fleet.gateways[0].kill()
    killed = time.time()
    _, moved = fleet.tell([1, 2])
    fleet.ends[0].accept()
    had = len(fleet.ends[0].logs)
    fleet.gateways[0].start()
    _, back = fleet.tell([0, 1, 2])
    run.go_on()
    found, _ = run.finish(slack=2 * A_SECOND)
    queued = [item for item in fleet.ends[0].logs[had:] if item.time / 1e9 < killed]
    assert queued, "nothing was in the killed gateway's queue"
    note = f"the others had its share {moved - killed:.1f} s after it; {split(found, killed, back)}"
    record(KILLED, outcome(found, note))


def test_a_fourth_gateway_splits_traces_only_briefly_and_loses_none(start: StartFleet) -> None:
    run = start()
    joining = run.fleet.add_gateway()
    joined, known = run.fleet.tell(range(joining + 1))
    run.go_on()
    found, _ = run.finish()
    share = len({found.spans[span].trace for span, at in found.ends.items() if joining in at})
    assert share > 0
    note = f"all agents knew {known - joined:.1f} s later; {split(found, joined, known)}"
    record(JOINED, outcome(found, note))


def test_a_rolling_restart_of_all_gateways_loses_nothing(start: StartFleet) -> None:
    run = start()
    fleet, begun = run.fleet, time.time()
    for number in range(3):
        stopping = threading.Thread(target=fleet.gateways[number].stop)
        stopping.start()  # as in a cluster: it stops while agents still know it
        fleet.tell(other for other in range(3) if other != number)
        stopping.join()
        fleet.move(number)
        _, known = fleet.tell(range(3))
    run.go_on()
    found, _ = run.finish()
    note = f"it took {known - begun:.0f} s; {split(found, begun, known)}"
    record(ROLLED, outcome(found, note))


def trying(agent: Collector) -> set[str]:
    """Return an agent's exporters with failing requests in flight."""
    lines = [line for line in agent.output().splitlines() if "Exporting failed" in line]
    return {name for name in TO_GATEWAYS for line in lines if f'"{name}"' in line}


def test_a_batch_requeued_by_a_stopping_agent_is_no_loss(whole: Otelcol, tmp_path: Path) -> None:
    with run_fleet(whole, tmp_path, size=1, wait=0.3) as fleet:
        (agent,), (gateway,) = fleet.agents, fleet.gateways
        gateway.stop()
        agent.send(request(), log("while it is away"))
        poll_until(lambda: trying(agent) == {*TO_GATEWAYS}, "both exporters that try again")
        agent.stop()
        gateway.start()
        agent.start()
        fleet.ends[0].wait_for_log("while it is away", timeout=30)
        lines = assert_balanced(fleet.ledger.url, {"spans": 2, "logs": 2}, {"spans": 0, "logs": 0})
    assert not [line.dropped for line in lines.values() if line.dropped]
