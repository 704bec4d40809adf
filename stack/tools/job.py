"""The commands that compile and fetch: each is started here, and ends with what started it."""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from otelcol_runner.lifetime import Child

from stack.errors import UserError
from stack.tools.progress import Report, status

NO_NETWORK = re.compile(r"dial tcp|no such host|name resolution|i/o timeout|handshake timeout")


@contextmanager
def running(
    doing: str,
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator["Job"]:
    """Start a command, and end it with the context.

    Args:
        doing: what it does, for people: "building prometheus".
        command: the command.
        env: its whole environment, where it is not this process's own.
        cwd: where it runs.
    """
    with tempfile.TemporaryFile() as output:
        # Interrupted, a compiler ends what it has started.
        child = Child(
            command, env=env, cwd=cwd, stdout=output, stderr=output, stop_signal=signal.SIGINT
        )
        try:
            yield Job(doing, child, output.fileno())
        finally:
            child.end(5)


class Job:
    """A running command and what it has printed."""

    def __init__(self, doing: str, child: Child, output: int) -> None:
        self.doing = doing
        self._child = child
        self._output = output
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self._started

    @property
    def packages(self) -> int:
        """How many packages Go has named so far, each alone on a line."""
        return sum(1 for line in self.output().splitlines() if line and " " not in line)

    def output(self) -> str:
        """Return what it has printed so far."""
        # Without moving the place where it writes.
        return os.pread(self._output, os.fstat(self._output).st_size, 0).decode(errors="replace")

    def wait(self, report: Report, state: Callable[[], str] | None = None) -> None:
        """Wait for its end and show its state meanwhile; raises `UserError` where it fails."""
        with status(report) as show:
            while self._runs_on(0.2):
                show(f"{state() if state else self.doing}, {self.seconds:.0f} s")
        if self._child.returncode:
            raise UserError(failure(self.doing, self.output()))

    def _runs_on(self, seconds: float) -> bool:
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False


def failure(doing: str, output: str) -> str:
    """Say why it failed and what to do."""
    sentences = [line for line in output.splitlines() if " " in line.strip()]
    end = " ".join(sentences[-3:])
    if NO_NETWORK.search(output):
        return (
            f"{doing} needs the network once, and the Go module proxy was not reached: "
            f"check the connection or GOPROXY and run it again ({end})"
        )
    return f"{doing} failed: {end}"
