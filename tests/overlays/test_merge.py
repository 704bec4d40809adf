"""collector/overlays/merge.py, which merges the overlays before a start in containers."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from otelcol_runner.configs import merged
from pytest_otelcol.collector import Otelcol

from stack.errors import UserError
from stack.paths import COLLECTOR
from stack.pipeline.configs import overlay_names
from tests.support.pipeline import QUICK, files

OVERLAYS = COLLECTOR / "overlays"
NAMES = sorted(path.stem for path in OVERLAYS.glob("*.yaml"))
BASE = ("gateways/from-agents", "environments/development", "routes/hybrid")
KAFKA = {"kafka-login"}  # not in the collector of the tests


def merge(target: Path, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, OVERLAYS / "merge.py", target],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_several_overlays_become_one_file_as_the_collector_merges_them(tmp_path: Path) -> None:
    target = tmp_path / "merged.yaml"
    assert merge(target, OVERLAYS=",".join(NAMES)) == (0, f"overlays: {', '.join(NAMES)}\n")
    found = yaml.safe_load(target.read_text())
    assert found == merged([OVERLAYS / f"{name}.yaml" for name in NAMES])


def test_the_collector_reads_the_merged_file_as_it_reads_the_files(
    otelcol: Otelcol, tmp_path: Path
) -> None:
    target = tmp_path / "merged.yaml"
    names = [name for name in NAMES if name not in KAFKA | {"tls"}]
    assert merge(target, OVERLAYS=" ".join(names))[0] == 0
    one, several = ([*files(BASE), *more] for more in ([target], files_of(names)))
    assert printed(otelcol, one) == printed(otelcol, several)


def files_of(names: list[str]) -> list[Path]:
    return [OVERLAYS / f"{name}.yaml" for name in names]


def printed(otelcol: Otelcol, paths: list[Path]) -> str:
    done = subprocess.run(
        [str(otelcol.binary), "print-config", *(f"--config=file:{path}" for path in paths)],
        env={**QUICK, "OTLP_TOKEN": "one", "SECOND_NAMESPACE": "two"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "prometheus/scrape" in done.stdout
    return done.stdout


def test_without_overlays_the_file_changes_nothing(otelcol: Otelcol, tmp_path: Path) -> None:
    target = tmp_path / "merged.yaml"
    assert merge(target, OVERLAYS=",") == (0, "overlays: none\n")
    assert yaml.safe_load(target.read_text()) == {}
    assert otelcol.validate([*files(BASE), target], QUICK) == ""


def test_an_unknown_overlay_is_refused_with_the_available_ones(tmp_path: Path) -> None:
    target = tmp_path / "merged.yaml"
    code, said = merge(target, OVERLAYS="token,also-viewre")
    assert (code, target.exists()) == (1, False)
    assert said == (
        "overlays: OVERLAYS names 'also-viewre', and there is no such file: "
        f"collector/overlays/ has {', '.join(NAMES)}\n"
    )


def test_a_profile_of_compose_adds_its_overlay_and_the_page_has_none(tmp_path: Path) -> None:
    target = tmp_path / "merged.yaml"
    profiles = "page,also-viewer"
    assert merge(target, OVERLAYS="token,also-viewer", COMPOSE_PROFILES=profiles) == (
        0,
        "overlays: token, also-viewer\n",
    )
    code, said = merge(target, OVERLAYS="token", COMPOSE_PROFILES="page,also-viewre")
    assert code == 1
    assert said.startswith("overlays: COMPOSE_PROFILES names 'also-viewre', and there is no such")
    assert merge(target, OVERLAYS="page")[0] == 1


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("ENVIRONMENT", "environments"), ("ROUTE", "routes"), ("SAMPLING_WINDOW", "window")],
)
def test_an_unknown_name_is_refused_with_the_available_files(
    tmp_path: Path, variable: str, folder: str
) -> None:
    code, said = merge(tmp_path / "merged.yaml", **{variable: "prod"})
    assert code == 1
    assert said.startswith(
        f"overlays: {variable} names 'prod', and there is no such file: collector/{folder}/ has "
    )


def test_a_token_from_a_file_with_a_line_break_is_refused_and_not_printed(tmp_path: Path) -> None:
    code, said = merge(tmp_path / "merged.yaml", LOGFIRE_TOKEN="secret-of-logfire\n")
    assert (code, (tmp_path / "merged.yaml").exists()) == (1, False)
    assert said.startswith("overlays: LOGFIRE_TOKEN contains a space, a line break or a non-ASCII")
    assert "secret" not in said


@pytest.mark.parametrize("variable", ["OVERLAY", "DOORS", "BACKEND"])
def test_a_renamed_variable_is_refused_in_containers_and_in_the_demo(
    variable: str, tmp_path: Path
) -> None:
    target = tmp_path / "merged.yaml"
    code, said = merge(target, OVERLAYS="token", **{variable: "token"})
    assert (code, target.exists()) == (1, False)
    with pytest.raises(UserError) as refused:
        overlay_names("token", {variable: "token"})
    assert said == f"overlays: {refused.value}\n"
    assert said.startswith(f"overlays: {variable} is not read any more: unset it and ")


def test_overlay_names_are_split_alike_in_containers_and_in_the_demo(
    tmp_path: Path,
) -> None:
    text = " token, also-scrape\ttenant,,token"
    assert merge(tmp_path / "merged.yaml", OVERLAYS=text)[1] == (
        f"overlays: {', '.join(overlay_names(text, {}))}\n"
    )
    assert overlay_names(text, {}) == ("token", "also-scrape", "tenant")
