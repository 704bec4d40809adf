import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from otelcol_runner.polling import poll_until

from tests.lifetime.commands import PATIENCE, Command, running
from tests.support.traces import Traces

WAITING = Path(__file__).with_name("waiting.py")
SERVERS = ("postgres", "valkey", "otelcol")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def waiting_run(traces: Traces, tmp_path: Path) -> Iterator[Command]:
    """A test run of two workers, each in a test, with a Postgres, a Redis and a collector."""
    argv = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider"]
    argv += [f"--basetemp={tmp_path / 'inner'}", "--timeout=0", str(WAITING)]
    with running(argv, traces, tmp_path / "log", {"WAITING": str(tmp_path)}) as command:
        for worker in ("gw0", "gw1"):
            command.wait_for((tmp_path / worker).exists, f"{worker} in its test")
        yield command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_group_of_a_test_run_leaves_nothing(
    waiting_run: Command, traces: Traces, number: signal.Signals
) -> None:
    names = [process.name() for process in traces.processes()]
    assert all(sum(server in name for name in names) >= 2 for server in SERVERS), names
    waiting_run.signal_group(number)
    waiting_run.process.wait(PATIENCE)
    traces.wait_until_gone()


def test_a_killed_test_run_leaves_nothing(waiting_run: Command, traces: Traces) -> None:
    waiting_run.process.kill()
    waiting_run.process.wait()
    traces.wait_until_gone()


def test_a_killed_worker_leaves_none_of_its_processes(waiting_run: Command, traces: Traces) -> None:
    worker = psutil.Process(waiting_run.process.pid).children()[0]
    own = [process for process in worker.children(recursive=True) if process.name()[:3] != "pyt"]
    assert len(own) >= 3
    worker.kill()
    poll_until(
        lambda: not any(process.is_running() for process in own),
        "the worker's servers ended",
        timeout=30,
        seen=traces.left,
    )
