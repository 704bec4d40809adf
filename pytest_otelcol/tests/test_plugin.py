"""The plugin in a project of its own."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

BASE = Path(__file__).parent / "configs" / "base.yaml"
A_TEST = f"""
from pathlib import Path
from otelcol_runner.telemetry import log, span

def test_pipeline(otelcol, otlp_sink):
    with otelcol.run([Path({str(BASE)!r})], {{"BACKEND": otlp_sink.url}}) as collector:
        collector.send(span("GET /"), log("hello"))
        assert otlp_sink.wait_for_span("GET /").kind == "EXPECTED"
"""


def test_a_missing_binary_gives_one_sentence_with_the_remedy(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTELCOL_BIN", raising=False)
    monkeypatch.setenv("PATH", str(pytester.path))
    pytester.makepyfile(A_TEST)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no collector found: install otelcol-contrib*"])


def test_a_configured_binary_that_does_not_exist_is_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(A_TEST)
    result = pytester.runpytest_inprocess("--otelcol-bin=/no/such/otelcol")
    result.stdout.fnmatch_lines(["*/no/such/otelcol is not an executable: correct --otelcol-bin,*"])


def test_the_binary_may_come_from_the_ini_file(
    pytester: pytest.Pytester, otelcol_bin: Path
) -> None:
    pytester.makeini(f"[pytest]\notelcol_bin = {otelcol_bin}\n")
    pytester.makepyfile(A_TEST.replace("EXPECTED", "INTERNAL"))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_failed_test_shows_what_each_sink_received(
    pytester: pytest.Pytester, otelcol_bin: Path
) -> None:
    pytester.makepyfile(A_TEST)
    result = pytester.runpytest_inprocess(f"--otelcol-bin={otelcol_bin}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*exporter BACKEND -> otlp sink*",
            "*1 span:",
            "*span 'GET /' INTERNAL UNSET*",
            "*1 log:",
            "*log 'hello' INFO*",
        ]
    )


def test_the_example_of_the_readme_passes_as_it_stands(
    pytester: pytest.Pytester, otelcol_bin: Path
) -> None:
    readme = Path(__file__).parent.parent / "README.md"
    blocks = re.findall(r"```(python|yaml)\n(.*?)```", readme.read_text(), re.DOTALL)
    example, config = (next(text for kind, text in blocks if kind == k) for k in ("python", "yaml"))
    (pytester.path / "collector.yaml").write_text(config)
    pytester.makepyfile(example)
    pytester.runpytest_inprocess(f"--otelcol-bin={otelcol_bin}").assert_outcomes(passed=1)
