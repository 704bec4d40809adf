import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from otelcol_runner.lifetime import Child, run, temporary_folder
from otelcol_runner.polling import poll_until

from tests.support.traces import Traces

LAUNCHER = Path(__file__).with_name("launcher.py")


@contextmanager
def launched(traces: Traces, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the launcher in its own process group, as a shell does, until its children are ready."""
    launcher = subprocess.Popen(
        [sys.executable, LAUNCHER, folder], env=traces.env, start_new_session=True
    )
    try:
        poll_until((folder / "all").exists, "all children", timeout=30, seen=traces.left)
        yield launcher
    finally:
        launcher.kill()
        launcher.wait()


def group(number: signal.Signals) -> Callable[[subprocess.Popen[bytes]], None]:
    return lambda launcher: os.killpg(launcher.pid, number)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(group(signal.SIGINT), id="SIGINT to the group"),
        pytest.param(group(signal.SIGTERM), id="SIGTERM to the group"),
        pytest.param(group(signal.SIGHUP), id="SIGHUP to the group"),
        pytest.param(subprocess.Popen.kill, id="kill -9 of the launcher"),
    ],
)
def test_no_child_outlives_a_launcher_however_it_ends(
    traces: Traces, tmp_path: Path, end: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    with launched(traces, tmp_path) as launcher:
        # The launcher, three children, the stubborn one's sleep and the parent's child.
        assert len(traces.processes()) >= 5
        assert len(list(traces.folder.iterdir())) == 3  # the logs
        end(launcher)
        launcher.wait(20)
        traces.wait_until_gone()


def test_a_child_not_yet_registered_is_stopped_when_the_launcher_dies(
    traces: Traces,
) -> None:
    """The child is found by its environment, which only Linux shows."""
    if sys.platform != "linux":
        return
    code = (
        "import os, signal\n"
        "from otelcol_runner import lifetime\n"
        "lifetime._owner.add = lambda *record: os.kill(os.getpid(), signal.SIGKILL)\n"
        "lifetime.Child(['/bin/sleep', '600'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=traces.env, check=False)
    assert done.returncode == -signal.SIGKILL
    traces.wait_until_gone()


def test_a_launcher_that_exits_without_stopping_waits_for_the_cleanup(traces: Traces) -> None:
    code = (
        "from otelcol_runner.process import Process\n"
        "Process('forgotten', ['/bin/sleep', '600']).start()\n"
    )
    subprocess.run([sys.executable, "-c", code], env=traces.env, check=True, timeout=60)
    assert traces.left() == []


def test_a_fork_of_the_launcher_does_not_keep_its_children_alive(traces: Traces) -> None:
    code = (
        "import multiprocessing, os, signal, time\n"
        "from otelcol_runner.process import Process\n"
        "Process('child', ['/bin/sleep', '600']).start()\n"
        "multiprocessing.get_context('fork').Process(target=time.sleep, args=[600]).start()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], env=traces.env, check=False, timeout=60)
    names = {"sleep"}
    poll_until(
        lambda: not names & {p.name() for p in traces.processes()},
        "the child ended",
        timeout=30,
        seen=traces.left,
    )
    for fork in traces.processes():
        fork.kill()


def test_grandchildren_are_stopped_with_the_child(tmp_path: Path) -> None:
    script = 'sleep 600 & echo $! > "$0/inner"; exit 0'
    child = Child(["/bin/sh", "-c", script, tmp_path])
    assert child.wait(20) == 0
    inner = int((tmp_path / "inner").read_text())
    poll_until(lambda: not alive(inner), "the inner process ended", timeout=20)


def test_a_killed_reaper_is_replaced_and_the_state_is_sent_again(traces: Traces) -> None:
    code = (
        "import os, signal\n"
        "from otelcol_runner import lifetime\n"
        "from otelcol_runner.process import Process\n"
        "first = Process('first', ['/bin/sleep', '600'], env={}, clean_env=True)\n"
        "first.start()\n"
        "lifetime._owner._reaper.kill()\n"
        "lifetime._owner._reaper.wait()\n"
        "lifetime.temporary_folder('second-')\n"
        "lifetime._owner._mark = 'unknown'\n"  # found only by its group, as without /proc
        "print(first.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=traces.env, check=False, stdout=-1)
    first = int(done.stdout)
    poll_until(lambda: not alive(first), "the first child ended", timeout=20)
    traces.wait_until_gone()


def test_run_returns_exit_code_and_output() -> None:
    done = run(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_timeout_stops_the_program_and_its_children(tmp_path: Path) -> None:
    script = 'sleep 600 & echo $! > "$0/inner"; wait'
    with pytest.raises(subprocess.TimeoutExpired):
        run(["/bin/sh", "-c", script, tmp_path], timeout=2)
    inner = int((tmp_path / "inner").read_text())
    poll_until(lambda: not alive(inner), "the inner process ended", timeout=20)


def test_a_temporary_folder_is_readable_by_its_owner_only() -> None:
    folder = temporary_folder("lifetime-")
    try:
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        folder.rmdir()


def alive(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
