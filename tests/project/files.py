"""The repository's text files, and the versions that they pin."""

import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from stack.paths import ROOT
from stack.tools.programs import RUN, TEST

NOT_OURS = {"build", "dist", "__pycache__", "node_modules"}
KEPT = {".ci", ".github"}
NOT_WRITTEN = {".png", ".lock", ".sum"}
TOO_LONG = 1_000_000  # bytes; not written by a person


@cache
def texts() -> dict[str, str]:
    """Return every text file by its path in the repository."""
    return {path: (ROOT / path).read_text(errors="replace") for path in sorted(paths())}


def paths() -> Iterator[str]:
    """Walk the repository, without installed or generated folders."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if ours(name)]
        for name in names:
            path = Path(folder, name)
            if path.suffix in NOT_WRITTEN or path.name == ".env" or not path.is_file():
                continue
            if path.stat().st_size < TOO_LONG:
                yield path.relative_to(ROOT).as_posix()


def ours(folder: str) -> bool:
    """Tell whether a folder belongs to the repository."""
    return folder in KEPT or not (folder.startswith(".") or folder in NOT_OURS)


@cache
def images() -> dict[str, str]:
    """Return the tag of each image that compose names, by the image's name."""
    (compose,) = (path for path in texts() if re.fullmatch(r"(docker-)?compose\.ya?ml", path))
    return dict(re.findall(r"\$\{\w+_IMAGE:-([^:}\s]+):([^@}\s]+)", texts()[compose]))


@cache
def locked() -> dict[str, str]:
    """Return the version of each Python package in the lock."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {package["name"]: package["version"] for package in packages if "version" in package}


def asked(package: str) -> str:
    """Return the first bound of a Python package in pyproject.toml, such as `>=1.45`."""
    found = re.search(
        rf'^\s+"{re.escape(package)}([><=~][^",]+)', texts()["pyproject.toml"], re.MULTILINE
    )
    assert found, f"pyproject.toml does not name {package}"
    return found[1]


def module(name: str, folder: str) -> str:
    """Return the one version at which a folder pins a Go module."""
    wanted = re.compile(rf"(?<![\w./-]){re.escape(name)}(?:/cmd/\w+)?[@ ]v([\d.]+)")
    found = {
        version
        for path, text in texts().items()
        if path.startswith(folder) and path.endswith(("go.mod", ".py"))
        for version in wanted.findall(text)
    }
    assert len(found) == 1, f"{name} is pinned in {folder} at {sorted(found) or 'no version'}"
    return str(found.pop())


def at_least(program: str) -> str:
    """Return the lowest version of a program on PATH that is accepted."""
    (version,) = {tool.at_least for tool in (*RUN, *TEST) if tool.on_path == program}
    return ".".join(map(str, version))


def first(pattern: str, start: str) -> str:
    """Return the first group of a pattern in a file, or in files whose paths start with this."""
    for path, text in texts().items():
        if path.startswith(start) and (found := re.search(pattern, text, re.MULTILINE)):
            return found[1]
    raise AssertionError(f"{start} has nothing like {pattern}")
