"""The one process runner: start, wait until ready, stop, and keep the output for the error."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from otelcol_runner.lifetime import Child, temporary_folder
from otelcol_runner.polling import NotSeenError, poll_until


class ProcessFailedError(RuntimeError):
    """A process ended, or did not become ready; the message carries the end of its output."""


class Process:
    """A child process as a context manager; it never outlives this process.

    Args:
        name: what people call it, for errors.
        argv: the command.
        env: variables added to this process's environment, or the whole of it with `clean_env`.
        ready: asked until it returns true; `OSError` means "not yet".
        ready_timeout: seconds until the start counts as failed.
        stop_timeout: seconds between SIGTERM and SIGKILL.
        uid: run as this user (only root may).
        log: file for stdout and stderr; a temporary one by default.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        clean_env: bool = False,
        ready: Callable[[], object] = lambda: True,
        ready_timeout: float = 20.0,
        stop_timeout: float = 15.0,
        stop_signal: signal.Signals = signal.SIGTERM,
        cwd: Path | None = None,
        uid: int | None = None,
        log: Path | None = None,
    ) -> None:
        self.name = name
        self.argv = [os.fspath(part) for part in argv]
        self.env = dict(env or {}) if clean_env else {**os.environ, **(env or {})}
        self.ready = ready
        self.ready_timeout = ready_timeout
        self.stop_timeout = stop_timeout
        self.stop_signal = stop_signal
        self.cwd = cwd
        self.uid = uid
        self.log = log
        self._own_log: Path | None = None
        self._last_output = ""
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process id. Raises `ProcessFailedError` when it was not started."""
        if self._child is None:
            raise ProcessFailedError(f"{self.name} was not started")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start and wait until ready. Raises `ProcessFailedError`; nothing is left running then."""
        path = self._log_file()
        user = {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}
        with path.open("ab") as output:
            try:
                self._child = Child(
                    self.argv,
                    env=self.env,
                    stop_signal=self.stop_signal,
                    cwd=self.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    **user,
                )
            except OSError as error:
                raise ProcessFailedError(f"{self.name} could not be started: {error}") from error
        try:
            poll_until(self._is_ready, f"{self.name} ready", timeout=self.ready_timeout)
        except NotSeenError as error:
            self.close()
            raise ProcessFailedError(f"{error}\n{self.tail()}") from None
        except BaseException:
            self.close()
            raise

    def _is_ready(self) -> object:
        if not self.running:
            raise ProcessFailedError(f"{self.name} ended with code {self.exit_code}\n{self.tail()}")
        return self.ready()

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return None if self._child is None else self._child.poll()

    def stop(self) -> int:
        """Stop gracefully, kill after a timeout. Returns the exit code; keeps the log readable."""
        return 0 if self._child is None else self._child.end(self.stop_timeout)

    def kill(self) -> None:
        """Kill it and everything it started at once, as `kill -9` does."""
        if self._child is not None:
            self._child.kill_group()

    def restart(self) -> None:
        """Stop gracefully and start again; the output is appended."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and remove the temporary log; `output()` keeps answering."""
        self.stop()
        if self._own_log is not None:
            self._last_output = self.output()
            shutil.rmtree(self._own_log)
            self._own_log = self.log = None

    def output(self) -> str:
        """Return everything the process has printed so far."""
        return self._last_output if self.log is None else self.log.read_text(errors="replace")

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of the output, for errors."""
        return "\n".join(self.output().splitlines()[-lines:])

    def _log_file(self) -> Path:
        if self.log is None:
            self._own_log = temporary_folder("process-")
            self.log = self._own_log / "output.log"
        return self.log
