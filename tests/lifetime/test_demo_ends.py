import dataclasses
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from otelcol_runner.polling import poll_until

from stack.pipeline.ports import Ports
from tests.lifetime.commands import PATIENCE, Command, running
from tests.support.traces import Traces

SERVERS = ("postgres", "valkey", "otelcol", "prometheus", "alertmanager")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def demo(traces: Traces, tmp_path: Path) -> Iterator[Command]:
    """`make demo` on free ports, with everything started."""
    ports = Ports.free()
    variables = {
        part.metadata["variable"]: str(getattr(ports, part.name))
        for part in dataclasses.fields(ports)
        if part.metadata["variable"]
    }
    with running(["make", "demo"], traces, tmp_path / "log", variables) as command:
        started = "press Ctrl-C to stop"
        command.wait_for(lambda: started in command.said(), started)
        names = [process.name() for process in traces.processes()]
        assert all(any(server in name for name in names) for server in SERVERS), names
        yield command


def group(number: signal.Signals) -> Callable[[Command, Traces], None]:
    return lambda demo, traces: demo.signal_group(number)


def kill(name: str) -> Callable[[Command, Traces], None]:
    """Kill only this process of the command."""

    def end(demo: Command, traces: Traces) -> None:
        make = psutil.Process(demo.process.pid)
        chain = [make, *make.children(recursive=True)]
        next(process for process in chain if process.name() == name).kill()

    return end


@pytest.mark.parametrize(
    ("end", "orderly"),
    [
        pytest.param(group(signal.SIGINT), True, id="Ctrl-C"),
        pytest.param(group(signal.SIGTERM), True, id="SIGTERM to the group"),
        pytest.param(group(signal.SIGHUP), True, id="the terminal is closed"),
        pytest.param(kill("make"), True, id="kill -9 of make"),
        pytest.param(kill("agentical"), False, id="kill -9 of the demo"),
    ],
)
def test_nothing_outlives_a_demo_however_it_ends(
    demo: Command, traces: Traces, end: Callable[[Command, Traces], None], *, orderly: bool
) -> None:
    end(demo, traces)
    demo.process.wait(PATIENCE)
    poll_until(lambda: not remaining(traces), "nothing left", timeout=60, seen=traces.left)
    assert demo.said().endswith("stopped all processes and removed their data\n") is orderly, (
        demo.said()
    )


def remaining(traces: Traces) -> list[str]:
    """Return what is left, except uv's lock in the temporary folder."""
    return [path for path in traces.left() if not Path(path).name.startswith("uv-")]
