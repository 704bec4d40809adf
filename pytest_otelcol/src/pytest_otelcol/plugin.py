"""The pytest plugin: the collector's binary by option, fixtures, and readable failures."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_otelcol import activity
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

ON_PATH = ("otelcol-contrib", "otelcol")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--otelcol-bin` and the ini settings."""
    group = parser.getgroup("otelcol", "OpenTelemetry Collector")
    group.addoption("--otelcol-bin", metavar="PATH", help="the collector's binary to test with")
    parser.addini("otelcol_bin", "the collector's binary (default: OTELCOL_BIN, then PATH)")
    parser.addini("otelcol_arguments", "arguments for every collector, one a line", type="linelist")


def given_binary(config: pytest.Config) -> Path | None:
    """Return the binary the user names by option, ini file or OTELCOL_BIN, if any.

    Raises:
        pytest.UsageError: there is no such program.
    """
    name = config.getoption("--otelcol-bin") or config.getini("otelcol_bin")
    name = name or os.environ.get("OTELCOL_BIN")
    if not name:
        return None
    found = shutil.which(name)
    if found is None:
        raise pytest.UsageError(f"--otelcol-bin: {name} is not a program that can be run")
    return Path(found)


@pytest.fixture(scope="session")
def otelcol_bin(pytestconfig: pytest.Config) -> Path:
    """Return the collector's binary; a project may override this fixture."""
    on_path = next(filter(None, map(shutil.which, ON_PATH)), None)
    found = given_binary(pytestconfig) or (Path(on_path) if on_path else None)
    if found is None:
        raise pytest.UsageError(
            "no collector to test with: install otelcol-contrib from "
            "https://github.com/open-telemetry/opentelemetry-collector-releases/releases "
            "or name a binary with --otelcol-bin"
        )
    return found


@pytest.fixture(scope="session")
def otelcol(otelcol_bin: Path, pytestconfig: pytest.Config) -> Otelcol:
    """Return the collector to validate and run configurations with."""
    return Otelcol(otelcol_bin, pytestconfig.getini("otelcol_arguments"))


@pytest.fixture
def otlp_sink() -> Iterator[OtlpSink]:
    """Give a backend that takes OTLP over HTTP."""
    with OtlpSink() as sink:
        yield sink


@pytest.fixture
def remote_write_sink() -> Iterator[RemoteWriteSink]:
    """Give a backend that takes Prometheus remote write."""
    with RemoteWriteSink() as sink:
        yield sink


def pytest_runtest_setup() -> None:
    """Forget which collectors the last test used."""
    activity.forget()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show, for a failed test, what each exporter of its collectors did deliver."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed:
        report.sections += activity.report()
