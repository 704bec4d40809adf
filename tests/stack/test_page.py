"""The build of the page: with npm and Vite, once, and nothing is left of one that fails."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port

from stack.errors import UserError
from stack.tools import node, page
from stack.tools.finding import version_of
from tests.stack.conftest import Agentical

# The tests may run as a background job, whose children ignore SIGINT.
BUILD = """
from pathlib import Path
from stack.pipeline.interrupts import interruptible
from stack.tools import page
page.SOURCES = Path("{}")
with interruptible():
    page.provide()
"""
LOCK = '{"name": "page", "lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1.0.0"}}, \
"node_modules/a": {"version": "1.0.0"}}}'
HANGS = "echo $$ > {}/pid; mkdir node_modules; exec sleep 60"
# A Vite that says what the real one does when a module is missing.
VITE = (
    "console.error('error during build:\\n[vite]: failed to resolve import \"x\"'); process.exit(1)"
)
INSTALLS = f"""mkdir -p node_modules/vite/bin
cat > node_modules/vite/bin/vite.js <<'END'
{VITE}
END
mkdir -p node_modules/typescript/bin
echo > node_modules/typescript/bin/tsc
"""


BUILDS = INSTALLS.replace(
    VITE,
    "const {mkdirSync, writeFileSync} = require('fs'); mkdirSync('dist'); "
    "writeFileSync('dist/index.html', 'built for ' + process.env.NODE_ENV)",
)


class Desk:
    """Sources of a page, an empty cache, and a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.sources, self.cache, self.path = (folder / n for n in ("view", "cache", "bin"))
        (self.sources / "src").mkdir(parents=True)
        self.path.mkdir()
        (self.sources / "package.json").write_text(
            '{"name": "page", "dependencies": {"a": "1.0.0"}}'
        )
        (self.sources / "package-lock.json").write_text(LOCK)
        (self.sources / "src" / "main.tsx").write_text("let page = 1")

    def npm(self, script: str) -> None:
        """Put on PATH an npm that runs the script, and the wheel's Node.js."""
        (self.path / "node").symlink_to(node.wheel().program)
        path = self.path / "npm"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def left(self) -> list[str]:
        return [path.name for path in self.cache.iterdir()]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path)
    monkeypatch.setattr(page, "SOURCES", desk.sources)
    monkeypatch.setenv("PATH", f"{desk.path}:/usr/bin:/bin")
    monkeypatch.setenv("AGENTICAL_CACHE", str(desk.cache))
    return desk


def test_the_page_is_built_from_the_repository() -> None:
    home = page.provide()
    scripts = re.findall(r'"/(assets/[\w.-]+\.js)"', (home / "index.html").read_text())
    assert scripts
    assert all((home / script).stat().st_size > 100 for script in scripts)
    assert (home / "favicon.svg").is_file()


def test_every_source_of_the_page_is_in_its_cache_key_and_nothing_else(desk: Desk) -> None:
    names = [page.built()]
    for file in ("src/main.tsx", "src/new.tsx", "package-lock.json", "vite.config.ts"):
        (desk.sources / file).write_text("edited")
        names.append(page.built())
    assert len(set(names)) == 5
    for folder in ("generated", "node_modules", "dist"):
        (desk.sources / folder).mkdir()
        (desk.sources / folder / "made.json").write_text("{}")
    assert page.built() == names[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_leaves_nothing(desk: Desk, number: signal.Signals) -> None:
    desk.npm(HANGS.format(desk.path))
    command = [sys.executable, "-c", BUILD.format(desk.sources)]
    builder = subprocess.Popen(command, stderr=subprocess.PIPE)
    pid = poll_until(lambda: (desk.path / "pid").read_text().strip(), "npm's start")
    poll_until(lambda: any(desk.cache.glob("*/node_modules")), "a package")
    builder.send_signal(number)
    builder.communicate(timeout=30)
    poll_until(lambda: not psutil.pid_exists(int(pid)), "npm's end")
    poll_until(lambda: desk.left() == [], "an empty cache", seen=desk.left)


def test_only_files_of_people_are_sources(desk: Desk) -> None:
    name = page.built()
    (desk.sources / ".npmrc").write_text("fund=false")
    assert page.built() != name
    name = page.built()
    for file in (".DS_Store", "src/.#main.tsx", "src/#main.tsx#", "src/main.tsx~", "src/.x.swp"):
        (desk.sources / file).write_text("of an editor")
    (desk.sources / ".idea").mkdir()
    (desk.sources / ".idea" / "workspace.xml").write_text("of an editor")
    (desk.sources / "src" / "dangling.tsx").symlink_to("nowhere.tsx")
    os.mkfifo(desk.sources / "src" / "pipe.tsx")
    assert page.built() == name


def test_the_packages_are_installed_without_scripts_and_built_for_production(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_ENV", "test")
    desk.npm(f'echo "$@" > {desk.path}/arguments\n{BUILDS}')
    page.built().mkdir()  # as a build that failed may leave it: it does not count
    home = page.provide()
    arguments = (desk.path / "arguments").read_text().split()
    assert arguments[0] == "ci"
    assert {"--ignore-scripts", "--include=dev"} <= {*arguments}
    assert (home / "index.html").read_text() == "built for production"
    assert desk.left() == [home.name]


def no_interpreter(desk: Desk, _: pytest.MonkeyPatch) -> None:
    (desk.path / "npm").write_text("#!/nowhere/sh\n")


def not_writable(_: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTICAL_CACHE", "/proc/self/fdinfo")  # also for root


def in_the_way(desk: Desk, _: pytest.MonkeyPatch) -> None:
    page.built().mkdir()
    (page.built() / "other").touch()


@pytest.mark.parametrize("broken", [no_interpreter, not_writable, in_the_way])
def test_what_the_system_refuses_leaves_out_only_the_page(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[Desk, pytest.MonkeyPatch], None],
) -> None:
    desk.npm(BUILDS)
    kept = page.built().name
    broken(desk, monkeypatch)
    said: list[str] = []
    with page.beside(said.append) as finish:
        assert finish() is None
    assert said[-1].startswith("the page is left out: cannot build the page ([Errno ")
    assert {*desk.left()} <= {kept}


def test_two_builds_at_once_end_with_one_page(desk: Desk) -> None:
    desk.npm(BUILDS)
    with page.started(print) as first, page.started(print) as second:
        home = first()
        assert second() == home
    assert desk.left() == [home.name]


def test_an_error_of_what_is_done_meanwhile_is_not_the_pages(desk: Desk) -> None:
    desk.npm(BUILDS)
    with pytest.raises(FileNotFoundError), page.started(print):
        (desk.path / "nowhere").read_text()


def test_a_broken_source_is_one_sentence_and_leaves_nothing(desk: Desk) -> None:
    desk.npm(INSTALLS)
    with pytest.raises(UserError) as raised:
        page.provide()
    assert str(raised.value) == 'building the page failed: [vite]: failed to resolve import "x"'
    assert desk.left() == []


def test_without_a_network_npm_says_so_soon_and_leaves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "fits", lambda version: False)
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(UserError) as raised:
        page.provide()
    assert str(raised.value) == (
        "fetching the npm packages of the page failed (ECONNREFUSED): it needs npm's registry "
        "once; check the connection, or npm's setting `registry`, and run it again"
    )
    assert desk.left() == []


def test_a_lock_that_does_not_fit_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "fits", lambda version: False)
    (desk.sources / "b").mkdir()
    (desk.sources / "b" / "package.json").write_text('{"name": "b", "version": "1.0.0"}')
    (desk.sources / "package.json").write_text('{"dependencies": {"b": "file:b"}}')
    (desk.sources / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {"": {}}}')
    with pytest.raises(UserError, match=r"package\.json and package-lock\.json differ"):
        page.provide()


def test_the_other_tools_are_provided_without_a_page_that_cannot_be_built(
    desk: Desk, agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.npm(INSTALLS)
    kept = Path(os.environ["AGENTICAL_CACHE"])
    monkeypatch.setattr("stack.cli.RUN", ())
    done = agentical("tools")
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith(
        'the page is left out: building the page failed: [vite]: failed to \
resolve import "x"\n'
    )
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "fit"),
    [
        (None, False),
        ((18, 20, 4), False),
        ((20, 18, 3), False),
        ((20, 19, 0), True),
        ((21, 7, 3), False),
        ((22, 11, 0), False),
        ((22, 12, 0), True),
        ((24, 1, 0), True),
    ],
)
def test_a_node_that_vite_does_not_support_is_not_used(
    version: tuple[int, ...] | None, *, fit: bool
) -> None:
    assert node.fits(version) is fit


def test_the_wheel_is_used_where_path_has_no_fitting_node(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(desk.path))
    assert node.node() == node.wheel()
    assert node.fits(version_of([str(node.wheel().program), "--version"]))
    (desk.path / "npm").touch(0o755)
    old = desk.path / "node"
    old.write_text("#!/bin/sh\necho v18.20.4\n")
    old.chmod(0o755)
    assert node.node() == node.wheel()
    old.write_text("#!/bin/sh\necho v22.12.0\n")
    assert node.node() == node.Node(old, [str(desk.path / "npm")])
