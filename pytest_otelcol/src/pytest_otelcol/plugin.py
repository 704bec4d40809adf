"""The pytest plugin: options for the collector's binary, fixtures, and failure reports."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_otelcol import activity
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.coverage_plugin import CoveragePlugin
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

if TYPE_CHECKING:
    from pytest_otelcol.grpc_sink import OtlpGrpcSink

ON_PATH = ("otelcol-contrib", "otelcol")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini settings."""
    group = parser.getgroup("otelcol", "OpenTelemetry Collector")
    group.addoption("--otelcol-bin", metavar="PATH", help="the collector binary to test with")
    group.addoption(
        "--otelcol-image",
        metavar="IMAGE",
        help="run the collector from this image instead (default: OTELCOL_IMAGE)",
    )
    group.addoption(
        "--otelcol-coverage",
        action="store_true",
        help="list pipelines and components of the loaded files, and what went through them",
    )
    parser.addini("otelcol_bin", "the collector binary (default: OTELCOL_BIN, then PATH)")
    parser.addini("otelcol_arguments", "arguments of every collector, one a line", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Register what collects the coverage, where it is asked for."""
    if config.getoption("--otelcol-coverage"):
        config.pluginmanager.register(CoveragePlugin(config), "otelcol-coverage")


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


def given_image(config: pytest.Config) -> str | None:
    """Return the image named by option or OTELCOL_IMAGE, if any; a binary's option goes first.

    Raises:
        pytest.UsageError: both options are given.
    """
    image: str | None = config.getoption("--otelcol-image")
    if not config.getoption("--otelcol-bin"):
        return image or os.environ.get("OTELCOL_IMAGE") or None
    if image:
        raise pytest.UsageError("pass --otelcol-bin or --otelcol-image, not both")
    return None


@pytest.fixture(scope="session")
def otelcol(request: pytest.FixtureRequest) -> Otelcol:
    """Return the collector, binary or image, as an object that validates and runs files."""
    arguments: list[str] = request.config.getini("otelcol_arguments")
    image = given_image(request.config)
    if image is None:
        return Otelcol(request.getfixturevalue("otelcol_bin"), arguments)
    try:
        from pytest_otelcol.image import ImageOtelcol, NoDockerError
    except ImportError as error:
        raise pytest.UsageError(
            f"--otelcol-image needs {error.name}: install pytest-otelcol[image]"
        ) from None
    try:
        return ImageOtelcol(image, arguments)
    except NoDockerError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture
def otlp_sink() -> Iterator[OtlpSink]:
    """Run a backend that accepts OTLP over HTTP."""
    with OtlpSink() as sink:
        yield sink


@pytest.fixture
def otlp_grpc_sink() -> Iterator["OtlpGrpcSink"]:
    """Run a backend that accepts OTLP over gRPC; needs the extra `pytest-otelcol[grpc]`."""
    try:
        from pytest_otelcol.grpc_sink import OtlpGrpcSink
    except ImportError as error:
        raise pytest.UsageError(
            f"the gRPC sink needs {error.name}: install pytest-otelcol[grpc]"
        ) from None
    with OtlpGrpcSink() as sink:
        yield sink


@pytest.fixture
def remote_write_sink() -> Iterator[RemoteWriteSink]:
    """Run a backend that accepts Prometheus remote write, 1.0 and 2.0."""
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
