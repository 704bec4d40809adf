"""`agentical drill`: lists drills, performs them, and prints their timelines."""

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
from stack.drills.observer import DrillFailedError
from stack.drills.perform import healthy, perform
from stack.errors import UserError
from stack.pipeline.interrupts import interruptible
from stack.pipeline.startup import brief
from stack.tools.progress import Report

HEALTHY = "healthy"


@dataclass(frozen=True)
class Outcome:
    """How a drill ended: `failure`, or why it was `skipped`, is a sentence, or empty."""

    name: str
    seconds: float
    failure: str = ""
    skipped: str = ""


def drill(name: str, *, every: bool, factor: float) -> None:
    """List the drills, or perform one or all; raises `UserError`."""
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
    """Return the drills to perform, None for the healthy load; raises `UserError`."""
    everything = {HEALTHY: None, **{drill.name: drill for drill in DRILLS}}
    if every:
        return list(everything.values())
    if name not in everything:
        raise UserError(f"there is no drill {name!r}: run `agentical drill` for a list")
    return [everything[name]]


def run(drills: Sequence[Drill | None], factor: float, console: Console) -> None:
    """Perform drills on one pipeline and print their timelines; raises `UserError`."""
    console.print(f"time is compressed: a minute takes {60 / factor:.1f} s")
    with laboratory(factor, console.print) as lab:
        outcomes = [outcome(drill, lab, console.print) for drill in drills]
    console.print(summary(outcomes))
    if failed := [one for one in outcomes if one.failure]:
        count = f"{len(failed)} of {len(outcomes)} drills failed; " if len(outcomes) > 1 else ""
        raise UserError(f"{count}{failed[0].name}: {failed[0].failure}")


def outcome(drill: Drill | None, lab: Lab, report: Report) -> Outcome:
    name, begun = drill.name if drill else HEALTHY, time.monotonic()
    report(f"\n{name}")
    failure = skipped = ""
    try:
        if drill:
            perform(drill, lab, report)
        else:
            healthy(lab, report)
    except DrillFailedError as error:
        failure = str(error)
    except NoDiskError as error:
        skipped = str(error)
    return Outcome(name, time.monotonic() - begun, failure, skipped)


def summary(outcomes: Sequence[Outcome]) -> Table:
    table = Table("drill", "", "result", title_justify="left", box=None, padding=(0, 3, 0, 0))
    for one in outcomes:
        result = one.failure or (f"skipped: {one.skipped}" if one.skipped else "passed")
        style = "bold red" if one.failure else "yellow" if one.skipped else "green"
        table.add_row(one.name, f"{one.seconds:.0f} s", Text(result, style))
    return table


def listed() -> Table:
    table = Table("drill", "what it does", "expected alert", box=None, padding=(0, 3, 0, 0))
    for row in rows():
        table.add_row(*row)
    return table


def rows() -> list[tuple[str, str, str]]:
    """Return name, description and expected alert of each drill."""
    return [
        (HEALTHY, "Watch ten minutes of a healthy load.", "none"),
        *((drill.name, drill.breaks, f"{drill.receiver}: {drill.expected}") for drill in DRILLS),
    ]
