import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from otelcol_runner.ports import free_port

from stack.cli import app
from stack.services.stand_in import StandIn


@pytest.fixture(scope="session")
def running_stand_in() -> Iterator[StandIn]:
    with StandIn(free_port()) as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(running_stand_in: StandIn) -> StandIn:
    """The stand-in, reset."""
    running_stand_in.reset()
    return running_stand_in


@dataclass(frozen=True)
class Outcome:
    """The exit code and output of a command."""

    code: object
    out: str
    err: str


Agentical = Callable[..., Outcome]


@pytest.fixture
def agentical(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Agentical:
    """Run `agentical` with these arguments; set variables by `monkeypatch`."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["agentical", *arguments])
        with pytest.raises(SystemExit) as ended:
            app()
        captured = capsys.readouterr()
        return Outcome(ended.value.code, captured.out, captured.err)

    return run
