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


OWN_METRICS = """
service:
  telemetry:
    metrics:
      level: normal
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: "${env:OWN_PORT}"
                without_scope_info: true
                without_type_suffix: true
"""
A_SCRAPE = """
from urllib.request import urlopen
from otelcol_runner.polling import poll_until
from otelcol_runner.telemetry import log, span

def test_own_metrics(otelcol, otlp_sink):
    configs, env = ["collector.yaml", "own.yaml"], {"BACKEND": otlp_sink.url}
    with otelcol.run(configs, env, ports=["OWN_PORT"]) as collector:
        collector.send(span("GET /"), log("hello"))

        def counted():
            with urlopen(f"http://127.0.0.1:{collector.env['OWN_PORT']}/metrics") as answer:
                lines = answer.read().decode().splitlines()
            found = [line for line in lines if line.startswith("otelcol_receiver_accepted_spans{")]
            return [line.split()[-1] for line in found] == ["1"]

        poll_until(counted, "the span in the collector's own metrics")
"""
BLOCKS: list[tuple[str, str]] = re.findall(
    r"```(\w+)\n(.*?)```", (Path(__file__).parent.parent / "README.md").read_text(), re.DOTALL
)


def example(kind: str) -> str:
    """Return the README's first block of this kind."""
    return next(text for found, text in BLOCKS if found == kind)


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


def test_an_image_without_a_docker_engine_gives_one_sentence(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    pytester.makepyfile(A_TEST)
    result = pytester.runpytest_inprocess("--otelcol-image=none/such")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no Docker engine answers, which --otelcol-image needs: start*"])
    result = pytester.runpytest_inprocess("--otelcol-image=none/such", "--otelcol-bin=/bin/true")
    result.stdout.fnmatch_lines(["*pass --otelcol-bin or --otelcol-image, not both*"])


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
    (pytester.path / "collector.yaml").write_text(example("yaml"))
    pytester.makepyfile(example("python"))
    pytester.runpytest_inprocess(f"--otelcol-bin={otelcol_bin}").assert_outcomes(passed=1)


def test_the_coverage_names_what_no_test_sent_anything_through(
    pytester: pytest.Pytester, otelcol_bin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pytester.path / "collector.yaml").write_text(example("yaml"))
    test = A_TEST.replace(str(BASE), "collector.yaml").replace(', log("hello")', "")
    pytester.makepyfile(test_one=test.replace("EXPECTED", "INTERNAL"), test_two="def test(): 1")
    options = [f"--otelcol-bin={otelcol_bin}", "--otelcol-coverage"]
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = ["-p", "pytest_otelcol.plugin", "-p", "xdist.plugin"]
    result = pytester.runpytest_subprocess(*options, *plugins, "-n2")
    result.assert_outcomes(passed=2)
    shown = next(text for kind, text in BLOCKS if kind == "text" and text.startswith("file "))
    result.stdout.fnmatch_lines(["*otelcol coverage*", *shown.splitlines()], consecutive=True)


def test_the_coverage_keeps_the_collectors_own_metrics(
    pytester: pytest.Pytester, otelcol_bin: Path
) -> None:
    (pytester.path / "collector.yaml").write_text(example("yaml"))
    (pytester.path / "own.yaml").write_text(OWN_METRICS)
    pytester.makepyfile(A_SCRAPE)
    result = pytester.runpytest_inprocess(f"--otelcol-bin={otelcol_bin}", "--otelcol-coverage")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["nothing was sent through 0 of 4"])
