"""The page of `view/`, built once with npm and Vite, and kept in the user's cache.

The folder there carries the hash of all that is built, as the programs of Go do: a second clone has
it at once, and an edit builds anew.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from otelcol_runner.lifetime import temporary_folder

from stack.errors import UserError
from stack.paths import ROOT, cache_dir
from stack.tools.job import Job, running
from stack.tools.node import Node, node, wait_for_packages
from stack.tools.progress import Report, say
from stack.tools.sources import copy, files

SOURCES = ROOT / "view"
ANNOUNCED = "building the page, once: up to 2 minutes on 2 cores; kept in {}"
LEFT_OUT = "the page is left out: {}"
UNUSABLE = (
    "cannot build the page ({}): it needs room and the right to write in {}; AGENTICAL_CACHE names "
    "another folder"
)
FETCHING = "fetching the npm packages of the page"
# The types are checked here, so that no page is served that they would refuse.
STEPS = (
    ("checking the types of the page", "typescript/bin/tsc", "--noEmit"),
    ("building the page", "vite/bin/vite.js", "build", "--logLevel", "error"),
)


@contextmanager
def actionable() -> Iterator[None]:
    """Raise `UserError` for what the system refuses: no room, no right, no such program."""
    try:
        yield
    except OSError as error:
        raise UserError(UNUSABLE.format(error, cache_dir())) from None


@actionable()
def built() -> Path:
    """Return where the page is once it is built; raises `UserError`."""
    digest = hashlib.sha256()
    for path in files(SOURCES):
        digest.update(repr((str(path.relative_to(SOURCES)), path.read_bytes())).encode())
    return cache_dir() / f"view-{digest.hexdigest()[:12]}"


def is_built(home: Path) -> bool:
    """Return whether a folder has the page; an empty one has not."""
    return (home / "index.html").is_file()


def provide(report: Report = say) -> Path:
    """Return the folder of the built page, from the cache or a build; raises `UserError`."""
    with started(report) as finish:
        return finish()


@contextmanager
def started(report: Report) -> Iterator[Callable[[], Path]]:
    """Start to fetch what the build needs; the call that is yielded finishes it.

    So other programs can be built in the meantime. What fails or is interrupted leaves nothing.
    Raises `UserError`, the call too.
    """
    home = built()
    if is_built(home):
        yield lambda: home
        return
    tool = node()
    report(ANNOUNCED.format(cache_dir()))
    with ExitStack() as stack:
        with actionable():  # but not what is done in the meantime
            folder = stack.enter_context(scratch(home.parent, "build-view-"))
            copy(SOURCES, folder)
            job = stack.enter_context(tool.installing(folder, FETCHING))
        yield lambda: finished(job, tool, folder, home, report)


@contextmanager
def beside(report: Report) -> Iterator[Callable[[], Path | None]]:
    """As `started`, but what fails is reported: all else works without the page."""
    with ExitStack() as stack:
        try:
            finish = stack.enter_context(started(report))
        except UserError as error:
            report(LEFT_OUT.format(error))
            yield lambda: None
            return

        def finish_or_report() -> Path | None:
            try:
                return finish()
            except UserError as error:
                report(LEFT_OUT.format(error))
                return None

        yield finish_or_report


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder that is removed at the end, also after `kill -9`: packages are large."""
    folder = temporary_folder(prefix, parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # the rest is left to the reaper


@actionable()
def finished(packages: Job, tool: Node, folder: Path, home: Path, report: Report) -> Path:
    """Wait for the packages, build, and keep the result; raises `UserError`."""
    wait_for_packages(packages, report)
    report(f"  fetched the packages of the page in {packages.seconds:.0f} s")
    environment = {**tool.environment, "NODE_ENV": "production"}
    begun = time.monotonic()
    for doing, script, *options in STEPS:
        command = [str(tool.program), str(folder / "node_modules" / script), *options]
        with running(doing, command, environment, folder) as job:
            try:
                job.wait(report)
            except UserError:
                raise UserError(f"{doing} failed: {cause(job.output())}") from None
    report(f"  built the page in {time.monotonic() - begun:.0f} s")
    keep(folder / "dist", home)
    return home


def keep(made: Path, home: Path) -> None:
    """Put the page in its place by a rename: two builds at once end with one whole page."""
    try:
        made.rename(home)
    except OSError:
        if not is_built(home):
            raise


def cause(output: str) -> str:
    """Return the line of Vite's output that says why."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("error during build")), "no reason")
