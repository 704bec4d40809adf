"""What every test of the repository may use: the collector's binary, and an orderly end."""

import math
import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_otelcol.plugin import given_binary

from stack.pipeline.interrupts import ECHO, interruptible
from stack.tools import toolchain


def pytest_configure(config: pytest.Config) -> None:
    """End the run in order on SIGTERM and SIGHUP as on Ctrl-C, in every worker too."""
    for name in (
        "NO_PROXY",
        "no_proxy",
    ):  # the clients in tests are not those of stack/clients/http.py
        hosts = [os.environ.get(name, ""), "127.0.0.1", "localhost", "::1"]
        os.environ[name] = ",".join(filter(None, hosts))
    ending = ExitStack()
    # A worker is told several times, by its group and by xdist: that must not cut its clean-up.
    worker = hasattr(config, "workerinput")
    ending.enter_context(interruptible(echo=math.inf if worker else ECHO))
    config.add_cleanup(ending.close)


@pytest.fixture(scope="session")
def otelcol_bin(pytestconfig: pytest.Config) -> Path:
    """Return the collector that the user names, else the one that `make tools` finds or builds."""
    return given_binary(pytestconfig) or toolchain.collector()
