"""Building what PATH lacks: all programs of a Go module in one go, kept in the user's cache.

A binary's name there carries the hash of all that went into it, so that a second clone starts at
once and a changed lock builds anew.
"""

import math
import os
import tempfile
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from stack.paths import cache_dir
from stack.tools.gotoolchain import go
from stack.tools.job import Job, running
from stack.tools.programs import ENVIRONMENT, Module, Tool
from stack.tools.progress import Report


def built(tool: Tool) -> Path:
    """Return where the tool's binary is once it is built."""
    return cache_dir() / "bin" / f"{tool.name}-{tool.fingerprint}"


def build(tools: Iterable[Tool], report: Report) -> None:
    """Build these, saying first what and for how long; raises `UserError`."""
    modules: dict[Module, list[Tool]] = {}
    for tool in tools:
        modules.setdefault(tool.module, []).append(tool)
    seconds = sum(module.seconds for module in modules)
    names = listed([tool for wanted in modules.values() for tool in wanted])
    report(f"building {names}, once: up to {duration(seconds)} on 2 cores; kept in {cache_dir()}")
    compiler = go(max(module.go_at_least for module in modules), report)
    builds = [Build(compiler, module, wanted) for module, wanted in modules.items()]
    with ExitStack() as stack:
        # All are fetched from the start, while the first of them compiles already.
        fetched = [stack.enter_context(each.fetching()) for each in builds]
        for each, job in zip(builds, fetched, strict=True):
            job.wait(report)
            each.compile(job.packages, report)


@dataclass(frozen=True)
class Build:
    """What one call of `go build` makes."""

    compiler: str
    module: Module
    tools: list[Tool]

    def fetching(self) -> AbstractContextManager[Job]:
        """Start to download the sources; the output is a line a package."""
        command = [self.compiler, "list", "-deps", *self._what()]
        doing = f"fetching the sources of {listed(self.tools)}"
        return running(doing, command, {**os.environ, **ENVIRONMENT}, self.module.folder)

    def compile(self, packages: int, report: Report) -> None:
        """Compile into the cache; what fails or is interrupted leaves nothing."""
        folder = cache_dir() / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="build-") as scratch:
            # In GOTMPDIR, because an interrupted compiler leaves its own behind.
            environment = {**os.environ, **ENVIRONMENT, "GOTMPDIR": scratch}
            out = f"{scratch}/{self.tools[0].compiled_as if len(self.tools) == 1 else ''}"
            flags = self.module.flags
            command = [self.compiler, "build", "-v", "-o", out, *flags, *self._what()]
            doing = f"building {listed(self.tools)}"
            with running(doing, command, environment, self.module.folder) as job:
                job.wait(report, lambda: f"{doing}: {job.packages} of up to {packages} packages")
                report(f"  built {listed(self.tools)} in {job.seconds:.0f} s")
            for tool in self.tools:  # a rename: two builds at once end with one whole binary
                Path(scratch, tool.compiled_as).replace(built(tool))

    def _what(self) -> list[str]:
        return ["-tags", self.module.tags, *(tool.package for tool in self.tools)]


def listed(tools: list[Tool]) -> str:
    """Return the names as a sentence has them."""
    *others, last = [tool.name for tool in tools]
    return f"{', '.join(others)} and {last}" if others else last


def duration(seconds: int) -> str:
    """Return a time in whole minutes, and none below one."""
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes > 1 else "a minute"
