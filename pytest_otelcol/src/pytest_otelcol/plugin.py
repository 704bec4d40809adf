"""The pytest plugin: options for the collector's binary, fixtures, and failure reports."""

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
    group.addoption("--otelcol-bin", metavar="PATH", help="the collector binary to test with")
    parser.addini("otelcol_bin", "the collector binary (default: OTELCOL_BIN, then PATH)")
    parser.addini("otelcol_arguments", "arguments of every collector, one a line", type="linelist")


def given_binary(config: pytest.Config) -> Path | None:
    """Return the binary named by option, ini file or OTELCOL_BIN, if any.

    Raises:
        pytest.UsageError: it does not exist or is not executable.
    """
    name = config.getoption("--otelcol-bin") or config.getini("otelcol_bin")
    name = name or os.environ.get("OTELCOL_BIN")
    if not name:
        return None
    found = shutil.which(name)
    if found is None:
        raise pytest.UsageError(
            f"{name} is not an executable: correct --otelcol-bin, otelcol_bin or OTELCOL_BIN"
        )
    return Path(found)


@pytest.fixture(scope="session")
def otelcol_bin(pytestconfig: pytest.Config) -> Path:
    """Return the collector binary; override this fixture to build or find your own."""
    on_path = next(filter(None, map(shutil.which, ON_PATH)), None)
    found = given_binary(pytestconfig) or (Path(on_path) if on_path else None)
    if found is None:
        raise pytest.UsageError(
            "no collector found: install otelcol-contrib from "
            "https://github.com/open-telemetry/opentelemetry-collector-releases/releases "
            "or pass a binary with --otelcol-bin=PATH"
        )
    return found


@pytest.fixture(scope="session")
def otelcol(otelcol_bin: Path, pytestconfig: pytest.Config) -> Otelcol:
    """Return the collector binary as an object that validates and runs configurations."""
    return Otelcol(otelcol_bin, pytestconfig.getini("otelcol_arguments"))


@pytest.fixture
def otlp_sink() -> Iterator[OtlpSink]:
    """Run a backend that accepts OTLP over HTTP."""
    with OtlpSink() as sink:
        yield sink


@pytest.fixture
def remote_write_sink() -> Iterator[RemoteWriteSink]:
    """Run a backend that accepts Prometheus remote write."""
    with RemoteWriteSink() as sink:
        yield sink


def pytest_runtest_setup() -> None:
    """Forget the collectors of the previous test."""
    activity.reset()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add to a failed test's report what each exporter of its collectors delivered."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed:
        report.sections += activity.report()
