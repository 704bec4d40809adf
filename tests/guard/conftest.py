"""The guard as a process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from otelcol_runner.ports import free_port

from stack.services.guard import Guard

StartGuard = Callable[..., Guard]


@pytest.fixture
def start_guard() -> Iterator[StartGuard]:
    """Start guards that stop with the test; the Caddyfile's head comment lists the variables."""
    with ExitStack() as stack:

        def start(**variables: str) -> Guard:
            return stack.enter_context(Guard(free_port(), free_port(), variables))

        yield start
