"""The jars of a Kafka broker: fetched by Maven once, checked, and kept in the user's cache."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from stack.errors import UserError
from stack.paths import cache_dir
from stack.tools.finding import version_of
from stack.tools.job import running
from stack.tools.progress import Report, say

HERE = Path(__file__).parent
SUMS = HERE / "SHA256SUMS"
JAVA_AT_LEAST = (17,)


def java() -> str:
    """Return the command of a suitable Java; raises `UserError`."""
    found = shutil.which("java")
    if found is None or (version_of([found, "-version"]) or ()) < JAVA_AT_LEAST:
        raise UserError(
            "a Kafka broker needs Java 17 or newer: install a JRE "
            "(Debian: apt install openjdk-17-jre-headless, macOS: brew install openjdk)"
        )
    return found


def jars(report: Report = say) -> Path:
    """Return the folder of a broker's jars, fetching them when needed (44 MB).

    Raises `UserError`.
    """
    folder = cache_dir() / f"kafka-{hashlib.sha256(SUMS.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="kafka-") as scratch:
            fetched = Path(scratch) / "jars"
            fetch(fetched, report)
            check(fetched)
            # Renamed, so that concurrent downloads end with one complete folder.
            if not folder.exists():
                fetched.rename(folder)
    return folder


def fetch(folder: Path, report: Report) -> None:
    """Let Maven put the jars of pom.xml into `folder`; raises `UserError`."""
    maven = shutil.which("mvn")
    if maven is None:
        raise UserError(
            "fetching Kafka's jars needs Maven once: install it "
            "(Debian: apt install maven, macOS: brew install maven)"
        )
    what = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    command = [maven, "--quiet", "--batch-mode", f"--file={HERE / 'pom.xml'}", *what]
    report("fetching Kafka's jars, once: 44 MB")
    with running("fetching Kafka's jars", command) as job:
        job.wait(report)


def check(folder: Path) -> None:
    """Raise `UserError` unless the folder holds the files of SHA256SUMS and no other jar."""
    wanted = {tuple(line.split()) for line in SUMS.read_text().splitlines()}
    found = {
        (hashlib.sha256(path.read_bytes()).hexdigest(), path.name) for path in folder.glob("*.jar")
    }
    if wrong := sorted(name for _, name in wanted ^ found):
        raise UserError(
            f"Kafka's jars are not those of {SUMS.name} ({', '.join(dict.fromkeys(wrong))}): "
            "empty Maven's local repository of them and run it again"
        )
