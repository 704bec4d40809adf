"""Finds what a launcher left behind, by an inherited variable and in its temporary folder."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil
from otelcol_runner.lifetime import MARK
from otelcol_runner.polling import NotSeenError, poll_until


class Traces:
    """The processes and files of one launcher.

    Args:
        folder: its temporary folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark = folder, uuid4().hex
        # The runner passes this variable even to a child with a clean environment.
        marks = f"{os.environ.get(MARK, '')} {self.mark}".strip()
        self.env = {**os.environ, MARK: marks, "TMPDIR": str(folder)}

    def processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._belongs(process)]

    def _belongs(self, process: psutil.Process) -> bool:
        try:
            # Redis overwrites its environment with its title, but works in its data folder.
            marked = self.mark in process.environ().get(MARK, "")
            return marked or Path(process.cwd()).is_relative_to(self.folder)
        except psutil.Error:
            return False

    def left(self) -> list[str]:
        """Return the command lines of the processes, and the paths in the folder."""
        lines = [f"{p.pid} {described(p)}" for p in self.processes()]
        return lines + [str(path) for path in self.folder.iterdir()]

    def wait_until_gone(self, timeout: float = 60.0) -> None:
        """Wait until nothing is left. Raises `AssertionError` with the list of what is."""
        poll_until(lambda: not self.left(), "nothing left", timeout=timeout, seen=self.left)

    def end(self) -> None:
        """Stop what still runs gracefully, then kill what a failed test has left."""
        with suppress(NotSeenError):
            poll_until(lambda: not self.processes(), "the end", timeout=20)
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()


def described(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return "(ended)"


@contextmanager
def traced() -> Iterator[Traces]:
    """Yield the traces of one launcher, and kill what is left at the end.

    The folder is not pytest's own: what runs as another user has to get in.
    """
    with tempfile.TemporaryDirectory(prefix="traces-") as path:
        Path(path).chmod(0o755)
        inner = Path(path) / "tmp"
        inner.mkdir()
        traces = Traces(inner)
        try:
            yield traces
        finally:
            traces.end()
