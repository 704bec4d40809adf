"""The guard as a process, in front of any upstream."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.request import urlopen

import pytest
from pytest_otelcol.ports import free_port
from pytest_otelcol.process import Process

from stack.paths import COLLECTOR

StartGuard = Callable[..., "Guard"]


class Guard(Process):
    """A real HAProxy on the shipped configuration; `variables` are those of its head comment."""

    def __init__(self, **variables: str) -> None:
        haproxy = shutil.which("haproxy")
        if haproxy is None:
            pytest.fail(
                "haproxy is missing: install it (apt-get install haproxy, brew install haproxy)"
            )
        listen = f"127.0.0.1:{free_port()}"
        self.url = f"http://{listen}"
        super().__init__(
            "guard",
            [haproxy, "-db", "-f", COLLECTOR / "guard" / "haproxy.cfg"],
            env={"GUARD_LISTEN": listen, **variables},
            clean_env=True,
            ready=lambda: urlopen(f"{self.url}/guard/health", timeout=1).status == 200,
        )


@pytest.fixture
def start_guard() -> Iterator[StartGuard]:
    """Start guards that stop with the test."""
    with ExitStack() as stack:
        yield lambda **variables: stack.enter_context(Guard(**variables))
