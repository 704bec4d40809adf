"""The pytest plugin as others get it: its packages and its own tests, outside this repository."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from stack.paths import ROOT

UV = os.environ.get("UV") or shutil.which("uv") or ROOT / ".tools" / "bin" / "uv"
PACKAGES = ("otelcol_runner", "pytest_otelcol")


def run(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_own_tests_pass_where_only_its_packages_are_installed(
    otelcol_bin: Path, tmp_path: Path
) -> None:
    built, environment = tmp_path / "dist", tmp_path / "venv"
    for package in PACKAGES:
        run(UV, "build", "--quiet", "--out-dir", built, package, cwd=ROOT)
    [sources] = built.glob("pytest_otelcol-*.tar.gz")
    with tarfile.open(sources) as archive:
        archive.extractall(tmp_path, filter="data")
    [runner], [plugin] = (
        built.glob(f"{name}-*.whl") for name in ("otelcol_runner", "pytest_otelcol")
    )
    run(UV, "venv", "--quiet", environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    install = [UV, "pip", "install", "--quiet", "--python", python]
    run(*install, runner, f"{plugin}[grpc,image]", "pytest-xdist", cwd=tmp_path)

    unpacked = tmp_path / sources.name.removesuffix(".tar.gz")
    shutil.rmtree(unpacked / "src")  # what is tested is what is installed
    run(python, "-m", "pytest", f"--otelcol-bin={otelcol_bin}", "tests", cwd=unpacked)
