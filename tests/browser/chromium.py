"""A Chromium for the browser tests: an installed one, or a build that npm's registry has."""

import io
import os
import platform
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cramjam
import playwright.sync_api as playwright

from stack.errors import UserError
from stack.paths import cache_dir
from tests.support import node

INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
PROJECT = Path(__file__).parent / "node"
FONTS = "<fontconfig><dir>{folder}</dir><cachedir>{folder}/cache</cachedir></fontconfig>"


@dataclass(frozen=True)
class Browser:
    """A program, and the variables that it needs."""

    program: Path
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def launched() -> Iterator[playwright.Browser]:
    """Run a browser in this context; raises `UserError` if there is none."""
    found = chromium()
    environment: dict[str, str | float | bool] = {**os.environ, **found.environment}
    with playwright.sync_playwright() as running:
        # Without a sandbox: as root, Chromium refuses one.
        browser = running.chromium.launch(
            executable_path=found.program, env=environment, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def chromium() -> Browser:
    """Return a browser; raises `UserError` if there is none and none for this system."""
    for name in INSTALLED:
        if found := shutil.which(name):
            return Browser(Path(found))
    if ON_MACOS.exists():
        return Browser(ON_MACOS)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise UserError("the browser tests need Chromium or Google Chrome on PATH: install one")
    folder = unpacked(node.packages(PROJECT) / "@sparticuz" / "chromium")
    libraries = {"LD_LIBRARY_PATH": str(folder / "lib"), "FONTCONFIG_FILE": f"{folder}/fonts.conf"}
    return Browser(folder / "chromium", libraries)


def unpacked(package: Path) -> Path:
    """Return the folder of the unpacked program, its libraries and fonts in the user's cache."""
    # The folder of the packages carries the hash of their lock file.
    folder = cache_dir() / f"chromium-{package.parents[2].name.removeprefix('node-')}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="chromium-") as scratch:
            made = Path(scratch) / "made"
            unpack(package / "bin", made)
            (made / "fonts.conf").write_text(FONTS.format(folder=folder / "fonts"))
            # Renamed, so that an interruption leaves nothing that looks complete.
            if not folder.exists():
                made.rename(folder)
    return folder


def unpack(packed: Path, folder: Path) -> None:
    folder.mkdir()
    for name in ("al2023", "fonts", "swiftshader"):
        archive = io.BytesIO(decompressed(packed / f"{name}.tar.br"))
        with tarfile.open(fileobj=archive) as files:
            files.extractall(folder, filter="data")
    program = folder / "chromium"
    program.write_bytes(decompressed(packed / "chromium.br"))
    program.chmod(0o755)


def decompressed(path: Path) -> bytes:
    return bytes(cramjam.brotli.decompress(path.read_bytes()))
