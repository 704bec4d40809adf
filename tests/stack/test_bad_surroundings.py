"""Bad values in the environment end in one sentence, and no secret is printed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from otelcol_runner.ports import free_port

from stack.paths import ROOT
from tests.overlays.test_merge import merge
from tests.stack.conftest import Agentical

SECRET = "pylf_v1_topsecret"
BROKEN = (f"{SECRET}\n", f"{SECRET}\nx", f" {SECRET}", f"{SECRET}é")


@pytest.mark.parametrize("value", BROKEN, ids=["line end", "line break", "space", "accent"])
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("LOGFIRE_TOKEN", ("demo",)),
        ("LOGFIRE_TOKEN_SECOND", ("demo",)),
        ("PROMETHEUS_BEARER_TOKEN", ("demo",)),
        ("LOGFIRE_READ_TOKEN", ("query", "SELECT 1")),
    ],
)
def test_a_token_that_no_header_can_carry_is_refused_and_not_printed(
    agentical: Agentical,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    command: tuple[str, ...],
    value: str,
) -> None:
    monkeypatch.setenv("LOGFIRE_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("DURATION", "1")  # a demo that starts all the same ends
    monkeypatch.setenv(name, value)
    ended = agentical(*command)
    assert ended.code == 1
    assert ended.err.startswith(f"agentical: {name} contains a space, a line break or a non-ASCII")
    assert SECRET not in ended.out + ended.err


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PROMETHEUS_AUTHORIZATION", f"Bearer {SECRET}\n", "begins or ends with a space"),
        ("OTLP_TOKEN", f"{SECRET} x", "contains a space"),
        ("LOGFIRE_ENDPOINT", f"http://me:{SECRET}@127.0.0.1:9", "contains a user or password"),
        ("LOGFIRE_ENDPOINT", f"http://me:{SECRET}\n@127.0.0.1:9", "is not an http or https URL"),
        ("PAGER_WEBHOOK_URL", SECRET, "is not an http or https URL: copy it again"),
        ("TICKETS_WEBHOOK_URL", f"https://tickets.invalid/{SECRET}\n", "is not an http or https"),
    ],
)
def test_a_secret_that_cannot_work_is_refused_before_anything_starts(
    agentical: Agentical,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    value: str,
    sentence: str,
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("DURATION", "1")
    ended = agentical("demo")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"agentical: {name} {sentence}")
    assert SECRET not in ended.err
    if not name.endswith("WEBHOOK_URL"):  # Alertmanager's container checks these
        code, said = merge(tmp_path / "merged.yaml", **{name: value})
        assert (code, ended.err.partition(":")[2]) == (1, said.partition(":")[2])


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"QUEUE_BYTES": "1G"}, "QUEUE_BYTES=1G is not a number of bytes: set one such as 10737"),
        ({"OVERLAYS": "token", "OTLP_TOKEN": ""}, "OVERLAYS=token needs OTLP_TOKEN: set it, or"),
        (
            {"IGNORED_PATHS": r"/a\.x"},
            r"IGNORED_PATHS=/a\.x is not a regular expression that Go has, without back",
        ),
        (
            {"SAMPLING_WINDOW_FILES": "512m"},
            "SAMPLING_WINDOW_FILES=512m is not a number of files: set one such as 32",
        ),
        ({"SPAN_METRICS_INTERVAL": "5"}, "SPAN_METRICS_INTERVAL=5 is not a duration: set one such"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_what_the_collector_would_refuse_is_told_before_anything_starts(
    agentical: Agentical,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    sentence: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ended = agentical("demo")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"agentical: {sentence}")
    assert merge(tmp_path / "merged.yaml", **variables)[1].startswith(f"overlays: {sentence}")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"RATE": "fast"}, "RATE=fast: input should be a valid number"),
        ({"ARRIVALS": "now"}, "ARRIVALS=now: 'now' is not one of 'constant', 'poisson'"),
        ({"DURATION": "-1"}, "DURATION=-1: input should be greater than or equal to 0"),
    ],
    ids=str,
)
def test_a_bad_option_in_a_variable_is_one_sentence(
    agentical: Agentical, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ended = agentical("demo")
    assert (ended.code, ended.err.startswith(f"agentical: {sentence}")) == (1, True)
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    "value", [f"authorization=Bearer {SECRET}\nx", SECRET, f"a=1,authorization=x%0A{SECRET}"]
)
@pytest.mark.parametrize("entry", ["-m app.api", "-m app.worker", "-m stack doctor"])
def test_headers_that_the_sdk_would_print_are_refused_everywhere(entry: str, value: str) -> None:
    arguments = entry.split()
    if "stack" in arguments:
        arguments = ["-c", "from stack.cli import app; app()", "doctor"]
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "OTEL_EXPORTER_OTLP_HEADERS": value, "API_PORT": str(free_port())},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "OTEL_EXPORTER_OTLP_HEADERS is not a list of name=value" in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_cache_that_cannot_be_created_is_named(
    agentical: Agentical, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken = tmp_path / "file"
    taken.touch()
    monkeypatch.setenv("AGENTICAL_CACHE", str(taken))
    ended = agentical("tools")
    assert ended.code == 1
    assert f"cannot create the cache {taken}" in ended.err
    assert "set AGENTICAL_CACHE" in ended.err
