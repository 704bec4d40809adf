"""Runs a command of the repository as a shell does, in a process group of its own."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from otelcol_runner.polling import poll_until

from stack.paths import ROOT
from tests.support.traces import Traces

PATIENCE = 90.0  # seconds, for a busy machine


class Command:
    """A running command; `said` returns its output so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log

    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, check: Callable[[], bool], what: str) -> None:
        """Wait until the check holds. Fails at once when the command has ended."""

        def holds() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"{what}: the command has ended; it said: {self.said()}")
            return check()

        poll_until(holds, what, timeout=PATIENCE, seen=self.said)

    def signal_group(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)


@contextmanager
def running(
    argv: Sequence[str], traces: Traces, log: Path, env: Mapping[str, str]
) -> Iterator[Command]:
    """Run the command until the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**traces.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Command(process, log)
    finally:
        process.kill()
        process.wait()
