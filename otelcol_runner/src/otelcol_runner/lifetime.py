"""Child processes and temporary folders that do not outlive this process, whatever ends it.

A small process, the reaper, receives the list of what this one owns through a pipe. The pipe closes
with this process, even on `kill -9`; the reaper then stops and removes what is left. (Linux'
parent-death signal would not do: it follows the thread that forked, is lost with a change of user,
and misses what the child starts.)
"""

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast
from uuid import uuid4

from otelcol_runner import reaper

MARK = "OTELCOL_RUNNER_LAUNCHERS"  # in a child's environment: its launchers, outermost first
# What Python itself may need to start. Nothing else: the reaper must not carry a launcher's mark.
NEEDED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Child(subprocess.Popen[bytes]):
    """A `Popen` in a session of its own, which ends with this process at the latest.

    Ctrl-C in the terminal reaches this process alone, which then stops its children in order. What
    the child has started itself, and left in its group, ends with it.

    Args:
        argv: the command.
        env: its environment; this process's by default.
        stop_signal: what asks it to end.
        options: for `Popen`.
    """

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        **options: Any,
    ) -> None:
        self.stop_signal = stop_signal
        self._record = b""
        _owner.start()
        variables = {**(os.environ if env is None else env), MARK: _owner.marks()}
        super().__init__(argv, env=variables, start_new_session=True, **options)
        self._record = b"group %d %d" % (self.pid, stop_signal)
        _owner.add(self._record, self)

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        code = super().poll()
        if code is not None:
            self._ended()
        return code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code. Raises `subprocess.TimeoutExpired`."""
        code = super().wait(timeout)
        self._ended()
        return code

    def end(self, timeout: float) -> int:
        """Send the stop signal, wait up to `timeout` seconds, then kill. Returns the exit code."""
        if self.poll() is None:
            self.send_signal(self.stop_signal)
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill_group()
        return self.wait()

    def kill_group(self) -> None:
        """Kill it and everything it started at once, as `kill -9` does."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait()

    def _ended(self) -> None:
        record, self._record = self._record, b""
        if record:
            # At once: later the process id may have been reused.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            _owner.drop(record)


def run(
    argv: Sequence[str | os.PathLike[str]], *, timeout: float | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and capture its output, as `subprocess.run` does.

    Raises:
        subprocess.TimeoutExpired: it took more than `timeout` seconds, and was ended.
    """
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Child(argv, **{**pipes, **options}) as child:
        try:
            out, err = child.communicate(timeout=timeout)
        except BaseException:
            child.end(reaper.GRACE)
            raise
    said = [(text or b"").decode(errors="replace") for text in (out, err)]
    return subprocess.CompletedProcess(argv, child.returncode, *said)


def temporary_folder(prefix: str, parent: Path | None = None) -> Path:
    """Make a temporary folder; the caller removes it, or else the reaper.

    Args:
        prefix: how its name begins.
        parent: where it is; by default where the system has temporary files.
    """
    path = (parent or Path(tempfile.gettempdir())) / f"{prefix}{uuid4().hex[:12]}"
    _owner.add(b"folder " + os.fsencode(path))  # before it exists, so that it cannot be missed
    path.mkdir(mode=0o700)
    return path


class _Owner:
    """What this process owns, and the reaper that keeps the list."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._reaper: subprocess.Popen[bytes] | None = None
        # Keep the child: once its `Popen` is garbage-collected, the process id may be reused.
        self._records: dict[bytes, Child | None] = {}
        self._mark = f"{os.getpid()}-{uuid4().hex}"

    def marks(self) -> str:
        """Return the environment's value for a child: the launchers around this one, then this."""
        return f"{os.environ.get(MARK, '')} {self._mark}".strip()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the reaper, if it does not run yet."""
        with self._lock:
            if self._reaper is None:
                self._reaper = subprocess.Popen(
                    [sys.executable, "-I", "-S", reaper.__file__, self._mark],
                    env={name: os.environ[name] for name in NEEDED if name in os.environ},
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    start_new_session=True,  # so that signals to this group do not reach it
                )
            return self._reaper

    def add(self, record: bytes, child: Child | None = None) -> None:
        """Own this from now on."""
        with self._lock:
            self._records[record] = child
            self._tell(b"+" + record)

    def drop(self, record: bytes) -> None:
        """Stop owning this."""
        with self._lock:
            if record in self._records:
                del self._records[record]
                self._tell(b"-" + record)

    def finish(self) -> None:
        """Close the pipe, and wait until the reaper has cleaned up."""
        with self._lock:
            ending, self._reaper = self._reaper, None
            children, self._records = list(filter(None, self._records.values())), {}
        if ending is None or ending.stdin is None:
            return
        ending.stdin.close()
        while ending.poll() is None:
            for child in children:
                child.poll()  # a zombie would count as alive
            time.sleep(0.01)

    def forked(self) -> None:
        """Own nothing in a fork of this process, which would otherwise keep the pipe open."""
        inherited = self._reaper
        self.__init__()  # type: ignore[misc]
        if inherited is not None and inherited.stdin is not None:
            inherited.stdin.close()
            inherited.returncode = 0  # not this process's child

    def _tell(self, line: bytes) -> None:
        program = self.start()
        try:
            cast(IO[bytes], program.stdin).write(line + b"\0")
        except BrokenPipeError:  # the reaper was killed: start another with the whole list
            program.communicate()
            self._reaper = None
            for record in list(self._records):
                self._tell(b"+" + record)


_owner = _Owner()
atexit.register(_owner.finish)
os.register_at_fork(after_in_child=_owner.forked)
