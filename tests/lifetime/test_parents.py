import subprocess
import sys

from stack.paths import ROOT

COUNT = "from stack.pipeline.parents import runners; print(len(runners()))"


def test_a_parent_that_runs_this_program_is_watched() -> None:
    script = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {COUNT!r}], check=True)"
    )
    assert int(said(sys.executable, "-c", script)) >= 1


def test_a_shell_is_not_watched_so_that_nohup_works() -> None:
    assert said("/bin/sh", "-c", f'"{sys.executable}" -c "{COUNT}"; true') == "0\n"


def said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
