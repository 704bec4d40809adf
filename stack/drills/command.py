"""`agentical drill`: the command."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import typer
from otelcol_runner.process import ProcessFailedError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.demo.command import INTERRUPTED, terminal
from stack.drills.disk import NoDiskError
from stack.drills.drill import DRILLS, Drill
from stack.drills.lab import Lab, laboratory
from stack.drills.perform import healthy, perform
from stack.drills.watch import DrillFailedError
from stack.errors import UserError
from stack.pipeline.interrupts import interruptible
from stack.pipeline.startup import brief
from stack.tools.progress import Report

HEALTHY = "healthy"


@dataclass(frozen=True)
class Outcome:
    """How a drill ended; a `failure` is a sentence, as is the `hindrance` it did not begin for."""

    name: str
    seconds: float
    failure: str = ""
    hindrance: str = ""


def drill(name: str, *, every: bool, factor: float) -> None:
    """List the drills, or perform one or all. Raises `UserError`."""
    console = terminal()
    if not name and not every:
        console.print(listed())
        return
    try:
        with interruptible():
            run(chosen(name, every=every), factor, console)
    except ProcessFailedError as error:
        raise UserError(brief(error)) from None
    except KeyboardInterrupt:
        console.print("stopped")
        raise typer.Exit(INTERRUPTED) from None


def chosen(name: str, *, every: bool) -> list[Drill | None]:
    """Return the drills to perform, None for the healthy load. Raises `UserError`."""
    everything = {HEALTHY: None, **{drill.name: drill for drill in DRILLS}}
    if every:
        return list(everything.values())
    if name not in everything:
        raise UserError(f"there is no drill {name!r}: `agentical drill` lists them")
    return [everything[name]]


def run(drills: Sequence[Drill | None], factor: float, console: Console) -> None:
    """Perform drills on one pipeline and print their timelines. Raises `UserError`."""
    console.print(f"a minute of windows and waits takes {60 / factor:.1f} s here")
    with laboratory(factor, console.print) as lab:
        outcomes = [outcome(drill, lab, console.print) for drill in drills]
    console.print(summary(outcomes))
    if failed := [one for one in outcomes if one.failure]:
        count = f"{len(failed)} of {len(outcomes)} drills failed; " if len(outcomes) > 1 else ""
        raise UserError(f"{count}{failed[0].name}: {failed[0].failure}")


def outcome(drill: Drill | None, lab: Lab, report: Report) -> Outcome:
    """Perform one drill, or watch the healthy load, and return how it went."""
    name, begun = drill.name if drill else HEALTHY, time.monotonic()
    report(f"\n{name}")
    failure = hindrance = ""
    try:
        if drill:
            perform(drill, lab, report)
        else:
            healthy(lab, report)
    except DrillFailedError as error:
        failure = str(error)
    except NoDiskError as error:
        hindrance = str(error)
    return Outcome(name, time.monotonic() - begun, failure, hindrance)


def summary(outcomes: Sequence[Outcome]) -> Table:
    """Return the table of what was performed."""
    table = Table("drill", "", "result", title_justify="left", box=None, padding=(0, 3, 0, 0))
    for one in outcomes:
        result = one.failure or (f"not performed: {one.hindrance}" if one.hindrance else "passed")
        style = "bold red" if one.failure else "yellow" if one.hindrance else "green"
        table.add_row(one.name, f"{one.seconds:.0f} s", Text(result, style))
    return table


def listed() -> Table:
    """Return the table of all drills."""
    table = Table("drill", "what it does", "who is told what", box=None, padding=(0, 3, 0, 0))
    for row in rows():
        table.add_row(*row)
    return table


def rows() -> list[tuple[str, str, str]]:
    """Return name, deed and expectation of each drill."""
    return [
        (HEALTHY, "Watch ten minutes' worth of a healthy load.", "nobody anything"),
        *((drill.name, drill.breaks, f"{drill.receiver}: {drill.expected}") for drill in DRILLS),
    ]
