"""`agentical demo`: the whole pipeline on this machine, under load."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Event
from typing import Annotated

import typer
from otelcol_runner.polling import NotSeenError, poll_until
from otelcol_runner.process import ProcessFailedError
from rich.console import Console
from rich.live import Live

from stack.clients.logfire import Logfire
from stack.clients.probe import MetricProbe, Probe, TraceProbe
from stack.clients.prometheus import PromQL
from stack.demo.arrivals import backends
from stack.demo.assembly import assembled
from stack.demo.live import Lines, View
from stack.demo.places import places
from stack.demo.watch import Watch
from stack.errors import UserError
from stack.load.generator import Arrivals, Load
from stack.pipeline.configs import overlay_names
from stack.pipeline.interrupts import interruptible
from stack.pipeline.launch import Pipeline
from stack.pipeline.startup import brief

COUNTED_SECONDS = 15.0
WIDTH_OF_A_LOG = 140
INTERRUPTED = 130


@dataclass(frozen=True)
class Run:
    """What a run does.

    `duration` is in seconds, 0 means until Ctrl-C; `rate` in requests a second; after that, a
    signal that has not arrived yet is waited for `patience` seconds.
    """

    duration: float = 0.0
    rate: float = 10.0
    arrivals: Arrivals = "poisson"
    patience: float = 45.0  # a route that thins out metrics sends them every 30 s


def demo(
    duration: Annotated[
        float, typer.Option(envvar="DURATION", min=0, help="Seconds; 0 means until Ctrl-C.")
    ] = 0.0,
    rate: Annotated[
        float, typer.Option(envvar="RATE", min=0.1, help="Requests a second, on average.")
    ] = 10.0,
    arrivals: Annotated[
        Arrivals, typer.Option(envvar="ARRIVALS", help="Evenly spaced, or as from many users.")
    ] = "poisson",
    environment: Annotated[
        str, typer.Option(envvar="ENVIRONMENT", help="A file of collector/environments.")
    ] = "development",
    route: Annotated[
        str, typer.Option(envvar="ROUTE", help="A file of collector/routes.")
    ] = "hybrid",
    overlays: Annotated[
        str, typer.Option(envvar="OVERLAYS", help="Files of collector/overlays, by comma.")
    ] = "",
    viewer: Annotated[str, typer.Option(envvar="VIEWER", help="aspire: add its dashboard.")] = "",
) -> None:
    """Run the whole pipeline here, under load: no Docker, no account.

    Ports are changed by variables; with LOGFIRE_TOKEN set it sends to the real service.
    """
    console = terminal()
    run = Run(duration, rate, arrivals)
    names = overlay_names(overlays, os.environ)
    with interruptible():
        try:
            pipeline = assembled(environment, route, names, viewer, console.print)
            code = perform(pipeline, run, console)
        except ProcessFailedError as error:
            raise UserError(brief(error)) from None
        except KeyboardInterrupt:
            console.print("stopped")
            code = INTERRUPTED
    raise typer.Exit(code)


def terminal() -> Console:
    """Return where a command tells what happens; piped, it is as wide as a log may be."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_LOG)


def perform(pipeline: Pipeline, run: Run, console: Console) -> int:
    """Start the pipeline, run it and say what arrived; returns the exit code."""
    begun = time.monotonic()
    with pipeline:
        console.print(f"everything runs after {time.monotonic() - begun:.1f} s\n")
        console.print(places(pipeline), "")
        with observed(pipeline, run) as view:
            interrupted = not watched(view, run, console)
        code = concluded(view, run, console, interrupted=interrupted)
        console.print("stopping")
    console.print("stopped everything, nothing is left behind")
    return code


@contextmanager
def observed(pipeline: Pipeline, run: Run) -> Iterator[View]:
    """Run load, counts and probes inside."""
    logfire: Logfire | None = None
    prometheus: PromQL | None = None
    with ExitStack() as stack:
        if pipeline.read_token:
            logfire = stack.enter_context(Logfire(pipeline.logfire_url, pipeline.read_token))
        if pipeline.uses_prometheus:
            prometheus = stack.enter_context(PromQL(pipeline.prometheus_url))
        watch = stack.enter_context(Watch(backends(pipeline, logfire, prometheus)))
        load = Load(pipeline.api_url, rate=run.rate, arrivals=run.arrivals)
        running = [stack.enter_context(p) for p in probes(pipeline, logfire, prometheus)]
        yield View(stack.enter_context(load), watch, running, pipeline.processes)


def probes(
    pipeline: Pipeline, logfire: Logfire | None, prometheus: PromQL | None
) -> Iterator[Probe]:
    """Yield a probe for each backend that can be asked."""
    if logfire is not None:
        failing = pipeline.environment != "development"
        yield TraceProbe(pipeline.api_url, logfire, failing=failing)
    if prometheus is not None:
        yield MetricProbe(pipeline.api_url, prometheus)


def watched(view: View, run: Run, console: Console) -> bool:
    """Show the view for the run's duration, then wait for what is on its way.

    Returns False when a person ended it.
    """
    lively = console.is_terminal
    shown = Live(view, console=console, refresh_per_second=2, transient=True)
    try:
        with shown if lively else Lines(view, console):
            Event().wait(run.duration or None)
            settle(view, run.patience)
    except KeyboardInterrupt:
        return False
    return True


def settle(view: View, patience: float) -> None:
    """Send no more, and wait for what is on its way."""
    view.load.stop()
    for probe in view.probes:
        probe.finish(0)
    with suppress(NotSeenError):  # the conclusion names it
        poll_until(lambda: not view.missing, "every signal", timeout=patience)
        for probe in view.probes:
            probe.finish(COUNTED_SECONDS)
        poll_until(lambda: view.counted, "every request counted", timeout=COUNTED_SECONDS)


def concluded(view: View, run: Run, console: Console, *, interrupted: bool) -> int:
    """Print the summary and return the exit code."""
    console.print(view.summary(), "")
    if not view.counted and not interrupted:
        console.print(f"Prometheus should have counted {view.to_count} requests", style="yellow")
    if view.missing and not interrupted:
        console.print(f"did not arrive: {', '.join(view.missing)}", style="bold red")
    if interrupted:
        return INTERRUPTED if run.duration else 0
    return 1 if view.missing or view.ended else 0
