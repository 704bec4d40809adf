import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from otelcol_runner.polling import poll_until

from stack.errors import UserError
from stack.services.grafana import TOOL as GRAFANA_TOOL
from stack.tools import toolchain
from stack.tools.toolchain import COLLECTOR_TOOL, PROMETHEUS_TOOL, Tool, provide

TOOL = Tool("thing", "thing", (1, 2, 0), ("--version",), "example.org/thing@v1.2.0")


class Shelf:
    """A PATH of our own, and an empty cache."""

    def __init__(self, folder: Path) -> None:
        self.path, self.cache = folder / "bin", folder / "cache"
        self.path.mkdir()
        self.reports: list[str] = []

    def program(self, name: str, script: str) -> Path:
        path = self.path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def go(self, script: str) -> None:
        self.program("go", f'[ "$1" = version ] && echo go version go1.26.0 && exit\n{script}')

    def provide(self, tool: Tool = TOOL) -> Path:
        return provide(tool, self.reports.append)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf(tmp_path)
    monkeypatch.setenv("PATH", f"{shelf.path}:/usr/bin:/bin")
    monkeypatch.setenv("AGENTICAL_CACHE", str(shelf.cache))
    return shelf


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        (COLLECTOR_TOOL, "otelcol-contrib version 0.158.0"),
        (COLLECTOR_TOOL, "otelcol-contrib version 1.2.0"),
        (GRAFANA_TOOL, "grafana version 12.1.0"),
        (PROMETHEUS_TOOL, "prometheus, version 3.5.0 (branch: HEAD, revision: 2.1)"),
    ],
)
def test_a_fitting_version_on_the_path_is_taken(shelf: Shelf, tool: Tool, said: str) -> None:
    found = shelf.program(tool.on_path, f"echo '{said}'")
    assert shelf.provide(tool) == found
    assert shelf.reports == []


@pytest.mark.parametrize("said", ["thing version 1.1.9", "thing version 0.99", "no number", "exit"])
def test_an_older_one_is_passed_over_aloud_and_built(shelf: Shelf, said: str) -> None:
    old = shelf.program("thing", f"echo '{said}'")
    shelf.go('touch "$GOBIN/thing"')
    assert shelf.provide().parent == shelf.cache / "bin"
    assert shelf.reports[0] == f"{old} is not 1.2.0 or newer, so not used"
    assert shelf.reports[1].startswith("building thing (once; ")


def test_a_build_is_cached_under_what_it_is_made_from(shelf: Shelf) -> None:
    shelf.go(f'echo "$@" >> {shelf.path}/calls; touch "$GOBIN/thing"')
    first = shelf.provide()
    assert shelf.provide() == first
    newer = Tool("thing", "thing", (1, 2, 0), ("--version",), "example.org/thing@v1.3.0")
    assert shelf.provide(newer) != first
    calls = (shelf.path / "calls").read_text().splitlines()
    assert [call.split()[-1] for call in calls] == [TOOL.module, newer.module]
    assert {path.name for path in (shelf.cache / "bin").iterdir()} == {
        f"thing-{tool.fingerprint}" for tool in (TOOL, newer)
    }


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            "go: example.org/thing@v1.2.0: dial tcp: lookup proxy.golang.org: no such host",
            "building thing needs the network once, and the Go module proxy was not reached: ",
        ),
        ("main.go:3: undefined: x", "building thing failed: main.go:3: undefined: x"),
    ],
)
def test_a_failed_build_is_a_sentence_and_leaves_nothing(
    shelf: Shelf, output: str, sentence: str
) -> None:
    shelf.go(f"echo '{output}' >&2; exit 1")
    with pytest.raises(UserError) as raised:
        shelf.provide()
    assert str(raised.value).startswith(sentence)
    assert list((shelf.cache / "bin").iterdir()) == []


def test_without_go_and_uv_the_sentence_says_where_to_get_it(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(shelf.path))
    monkeypatch.delenv("UV", raising=False)
    shelf.program("go", "echo go version go1.19.8")
    with pytest.raises(UserError, match=r"needs Go 1\.25 or newer: install it from go\.dev/dl"):
        shelf.provide()


def test_an_interrupted_build_ends_its_compiler_and_leaves_nothing(shelf: Shelf) -> None:
    shelf.go(f'trap "exit 1" INT; echo $$ > {shelf.path}/pid; while :; do sleep 0.1; done')
    # The tests may run as a background job, whose children ignore SIGINT.
    code = (
        "from stack.pipeline.interrupts import *; from stack.tools.toolchain import *\n"
        "with interruptible(): provide(PROMETHEUS_TOOL)"
    )
    builder = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, env=dict(os.environ)
    )
    pid = poll_until(lambda: (shelf.path / "pid").read_text().strip(), "the compiler's start")
    builder.send_signal(signal.SIGINT)
    builder.communicate(timeout=10)
    poll_until(lambda: not psutil.pid_exists(int(pid)), "the compiler's end")
    assert list((shelf.cache / "bin").iterdir()) == []


def test_the_collectors_lock_is_part_of_its_name() -> None:
    assert toolchain.COLLECTOR_TOOL.source is not None
    assert len({tool.fingerprint for tool in (COLLECTOR_TOOL, PROMETHEUS_TOOL, TOOL)}) == 3
