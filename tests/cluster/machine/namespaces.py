"""Namespaces held by a process: whatever ends it, even `kill -9`, ends them and all in them."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil
from otelcol_runner.polling import poll_until
from otelcol_runner.process import Process

from stack.errors import UserError
from tests.cluster.machine.programs import pause


class Namespaces:
    """A set of namespaces as a context manager.

    Args:
        name: what people call it, for errors.
        kinds: as `unshare` and `nsenter` name them: `net`, `mount`, `pid`, ...
        folder: where logs go.
    """

    def __init__(self, name: str, kinds: Sequence[str], folder: Path) -> None:
        self.name = name
        self.kinds = [f"--{kind}" for kind in kinds]
        self.folder = folder
        # The forked process is the first of the PID namespace: the kernel ends all others with it.
        own = ["--fork", "--kill-child=SIGKILL"]
        own += ["--mount-proc", "--propagation=private"] if "mount" in kinds else []
        self._holder = Process(
            name,
            ["unshare", *self.kinds, *own, str(pause())],
            stop_signal=signal.SIGKILL,
            log=folder / f"{name}.log",
        )
        self.pid = 0
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        self._holder.start()
        try:
            self.pid = poll_until(self._held, f"the namespaces of {self.name}", timeout=10)
        except BaseException:
            self._holder.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._holder.close()
        poll_until(lambda: ended(self.pid), f"the end of {self.name}", timeout=30)

    def _held(self) -> int:
        """Return the first process in the namespaces, once it is the program itself."""
        children = psutil.Process(self._holder.pid).children()
        names = {child.pid: child.name() for child in children}
        return next((pid for pid, name in names.items() if name.startswith("pause")), 0)

    def command(self, *argv: str) -> list[str]:
        """Return a command that runs another one in the namespaces."""
        return ["nsenter", f"--target={self.pid}", *self.kinds, "--", *argv]

    def run(self, *argv: str, text: str = "", timeout: float = 30) -> str:
        """Run a command there and return its output. Raises `UserError`."""
        done = self.completed(*argv, text=text, timeout=timeout)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise UserError(f"`{' '.join(argv)}` failed in {self.name}: {said[-1000:]}")
        return done.stdout

    def completed(
        self, *argv: str, text: str = "", timeout: float = 30
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there; the caller judges its exit code."""
        return subprocess.run(
            self.command(*argv),
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def process(self, name: str, *argv: str, **options: object) -> Process:
        """Return a process that will run there, with its log in the folder."""
        process = Process(
            f"{name} of {self.name}",
            self.command(*argv),
            stop_signal=signal.SIGKILL,
            log=self.folder / f"{self.name}-{name}.log",
            **options,  # type: ignore[arg-type]
        )
        self._processes.append(process)
        return process

    def check(self) -> None:
        """Raise a `UserError` with the output of a process that has ended by itself."""
        for process in self._processes:
            if not process.running:
                said = f"{process.name} has ended with code {process.exit_code}"
                raise UserError(f"{said}:\n{process.tail()}")


def ended(pid: int) -> bool:
    """Tell whether a process has ended, also if nobody has asked for its exit code yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
