import os
import subprocess
import sys

from stack.paths import ROOT
from tests.containers.images import needed

TESTS = ROOT / "pytest_otelcol/tests"


def test_the_kits_tests_pass_with_the_collector_in_a_container(docker_engine: str) -> None:
    """Those that need no binary: the same tests, the same fixtures."""
    chosen = [TESTS / "demo", TESTS / "test_collector.py"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, chosen)]
    done = subprocess.run(
        [*command, f"--otelcol-image={needed('COLLECTOR_IMAGE')}", "--otelcol-coverage"],
        cwd=ROOT,
        env={**os.environ, "TESTCONTAINERS_RYUK_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was sent through 0 of" in done.stdout
