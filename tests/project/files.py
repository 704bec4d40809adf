"""The repository's own text files, and the versions that they pin."""

import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from stack.paths import ROOT

NOT_OURS = {"build", "dist", "__pycache__", "node_modules"}
KEPT = {".ci", ".github"}
TOO_LONG = 1_000_000  # locks and figures: no pin that a person writes


@cache
def texts() -> dict[str, str]:
    """Return every text file by its path in the repository."""
    return {path: (ROOT / path).read_text() for path in sorted(paths())}


def paths() -> Iterator[str]:
    """Walk the repository, without what is installed or made."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if ours(name)]
        for name in names:
            path = Path(folder, name)
            if path.suffix not in {".png", ".lock", ".sum", ".json5"} and path.name != ".env":
                size = path.stat().st_size
                if size < TOO_LONG:
                    yield path.relative_to(ROOT).as_posix()


def ours(folder: str) -> bool:
    """Tell whether a folder belongs to the repository."""
    return folder in KEPT or not (folder.startswith(".") or folder in NOT_OURS)


@cache
def images() -> dict[str, str]:
    """Return the tag of each image that compose names, by the image's name."""
    (compose,) = (path for path in texts() if re.fullmatch(r"(docker-)?compose\.ya?ml", path))
    return dict(re.findall(r"\$\{\w+_IMAGE:-([^:}\s]+):([^}\s]+)\}", texts()[compose]))


@cache
def locked() -> dict[str, str]:
    """Return the version of each Python package in the lock."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {package["name"]: package["version"] for package in packages if "version" in package}


def asked(package: str) -> str:
    """Return what pyproject.toml asks of a Python package, as `>=1.45`; its first bound alone."""
    found = re.search(
        rf'^\s+"{re.escape(package)}([><=~][^",]+)', texts()["pyproject.toml"], re.MULTILINE
    )
    assert found, f"pyproject.toml does not name {package}"
    return found[1]


def module(name: str) -> str:
    """Return the version at which a Go module is pinned, wherever that is."""
    wanted = re.compile(rf"(?<![\w./-]){re.escape(name)}(?:/cmd/\w+)?[@ ]v([\d.]+)")
    folders = ("stack/tools/", "collector/distribution/", "tests/")
    found = {
        version
        for path, text in texts().items()
        if path.startswith(folders) and path.endswith(("go.mod", ".py"))
        for version in wanted.findall(text)
    }
    assert len(found) == 1, f"{name} is pinned at {sorted(found) or 'no version'}"
    return str(found.pop())


def at_least(program: str) -> str:
    """Return the lowest version of a program on PATH that is taken."""
    wanted = re.compile(rf'on_path="{program}",\s+at_least=\(([\d, ]+)\)')
    tools = "".join(text for path, text in texts().items() if path.startswith("stack/tools/"))
    found = wanted.search(tools)
    assert found, f"stack/tools names no lowest version of {program}"
    return found[1].replace(", ", ".")


def first(pattern: str, path: str) -> str:
    """Return the first group of a pattern in a file."""
    found = re.search(pattern, texts()[path], re.MULTILINE)
    assert found, f"{path} has nothing like {pattern}"
    return found[1]
