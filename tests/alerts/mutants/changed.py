"""Which rule files a branch changed: themselves, or the unit tests that load them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from stack.paths import ROOT
from tests.alerts.mutants.unit_tests import unit_tests

BASES = ("origin/main", "main")
LOGFIRE = (
    "alerts/matrix.yaml",
    "logfire/alerts/",
    "tests/alerts/logfire/",
    "stack/standins/logfire/",
)
ITSELF = "tests/alerts/mutants/"


def files(root: Path = ROOT) -> list[str] | None:
    """Return the files that differ from where the branch left main; None if there is no main.

    What is not committed yet counts too.
    """

    def git(*arguments: str) -> list[str]:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()

    bases = (git("merge-base", "HEAD", name) for name in BASES)
    base = next((found for found in bases if found), None)
    if base is None:
        return None
    new = git("ls-files", "--others", "--exclude-standard")
    return [*git("diff", "--name-only", *base), *new]


def rule_files(changed: Sequence[str]) -> set[Path]:
    """Return the rule files whose alerts changed, or are tested differently."""
    paths = {ROOT / name for name in changed}
    loading = {path for test in unit_tests() if test.path in paths for path in test.rule_files}
    return {path for path in paths if path.parent.name in ("rules", "generated")} | loading
