"""The project runs from its checkout: the command works, and no package is built."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import ROOT

UV = os.environ.get("UV") or shutil.which("uv") or ROOT / ".tools" / "bin" / "uv"


@pytest.mark.parametrize("kind", ["--wheel", "--sdist"])
def test_building_a_package_is_refused_with_the_remedy(kind: str, tmp_path: Path) -> None:
    command = [UV, "build", kind, "--out-dir", tmp_path, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "clone the repository and run `make setup`" in done.stderr
    assert list(tmp_path.glob("agentical*")) == []


def test_the_command_runs_from_the_checkout(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("agentical")
    done = subprocess.run([command, "--help"], cwd=tmp_path, capture_output=True, check=True)
    assert b"doctor" in done.stdout
