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
from stack.demo.assembly import pipeline_of
from stack.demo.counting import ArrivalCounter
from stack.demo.live import Lines, View
from stack.demo.places import places
from stack.errors import UserError
from stack.load.generator import Arrivals, Load
from stack.pipeline.configs import overlay_names
from stack.pipeline.interrupts import interruptible
from stack.pipeline.launch import Pipeline
from stack.pipeline.startup import brief

COUNTED_SECONDS = 15.0
LOG_WIDTH = 140
OPEN = "open {} to see dashboards, traces, logs and alerts"
INTERRUPTED = 130


@dataclass(frozen=True)
class Run:
    """The options of a run.

    `duration` is in seconds, 0 means until Ctrl-C; `rate` is in requests a second. At the end, a
    signal that has not arrived yet is awaited for `patience` seconds.
    """

    duration: float = 0.0
    rate: float = 10.0
    arrivals: Arrivals = "poisson"
    patience: float = 45.0  # logfire-only sends metrics every 30 s


def demo(
    duration: Annotated[
        float, typer.Option(envvar="DURATION", min=0, help="Seconds; 0 means until Ctrl-C.")
    ] = 0.0,
    rate: Annotated[
        float, typer.Option(envvar="RATE", min=0.1, help="Requests a second, on average.")
    ] = 10.0,
    arrivals: Annotated[
        Arrivals,
        typer.Option(envvar="ARRIVALS", help="Evenly spaced, or random as from many users."),
    ] = "poisson",
    environment: Annotated[
        str, typer.Option(envvar="ENVIRONMENT", help="A file in collector/environments/.")
    ] = "development",
    route: Annotated[
        str, typer.Option(envvar="ROUTE", help="A file in collector/routes/.")
    ] = "hybrid",
    overlays: Annotated[
        str,
        typer.Option(envvar="OVERLAYS", help="Files in collector/overlays/, separated by commas."),
    ] = "",
) -> None:
    """Run the whole pipeline on this machine, under load, without Docker or an account.

    Variables change the ports. With LOGFIRE_TOKEN set, telemetry goes to the real Logfire.
    """
    console = terminal()
    run = Run(duration, rate, arrivals)
    names = overlay_names(overlays, os.environ)
    with interruptible():
        try:
            pipeline = pipeline_of(environment, route, names, console.print)
            code = perform(pipeline, run, console)
        except ProcessFailedError as error:
            raise UserError(brief(error)) from None
        except KeyboardInterrupt:
            console.print("stopped")
            code = INTERRUPTED
    raise typer.Exit(code)


def terminal() -> Console:
    """Return the console; when piped, with a fixed width for logs."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else LOG_WIDTH)


def perform(pipeline: Pipeline, run: Run, console: Console) -> int:
    """Start the pipeline, run it and print what arrived; returns the exit code."""
    begun = time.monotonic()
    with pipeline:
        console.print(f"everything started after {time.monotonic() - begun:.1f} s\n")
        console.print(places(pipeline), "")
        if pipeline.page_url:
            console.print(OPEN.format(pipeline.page_url), "")
        with observed(pipeline, run) as view:
            interrupted = not show(view, run, console)
        code = conclude(view, run, console, interrupted=interrupted)
        console.print("stopping")
    console.print("stopped all processes and removed their data")
    return code


@contextmanager
def observed(pipeline: Pipeline, run: Run) -> Iterator[View]:
    """Run the load, the counter and the probes in this context."""
    logfire: Logfire | None = None
    prometheus: PromQL | None = None
    with ExitStack() as stack:
        if pipeline.read_token:
            logfire = stack.enter_context(Logfire(pipeline.logfire_url, pipeline.read_token))
        if pipeline.uses_prometheus:
            prometheus = stack.enter_context(PromQL(pipeline.prometheus_url))
        counter = stack.enter_context(ArrivalCounter(backends(pipeline, logfire, prometheus)))
        load = Load(pipeline.api_url, rate=run.rate, arrivals=run.arrivals)
        running = [stack.enter_context(p) for p in probes(pipeline, logfire, prometheus)]
        yield View(stack.enter_context(load), counter, running, pipeline.processes)


def probes(
    pipeline: Pipeline, logfire: Logfire | None, prometheus: PromQL | None
) -> Iterator[Probe]:
    if logfire is not None:
        failing = pipeline.environment != "development"
        yield TraceProbe(pipeline.api_url, logfire, failing=failing)
    if prometheus is not None:
        yield MetricProbe(pipeline.api_url, prometheus)


def show(view: View, run: Run, console: Console) -> bool:
    """Show the view for the run's duration, then wait for telemetry in flight.

    Returns False if Ctrl-C ended it.
    """
    live = Live(view, console=console, refresh_per_second=2, transient=True)
    try:
        with live if console.is_terminal else Lines(view, console):
            Event().wait(run.duration or None)
            settle(view, run.patience)
    except KeyboardInterrupt:
        return False
    return True


def settle(view: View, patience: float) -> None:
    view.load.stop()
    for probe in view.probes:
        probe.finish(0)
    with suppress(NotSeenError):  # `conclude` prints what is missing
        poll_until(lambda: not view.missing, "every signal", timeout=patience)
        for probe in view.probes:
            probe.finish(COUNTED_SECONDS)
        poll_until(lambda: view.counted, "every request counted", timeout=COUNTED_SECONDS)


def conclude(view: View, run: Run, console: Console, *, interrupted: bool) -> int:
    console.print(view.summary(), "")
    if not view.counted and not interrupted:
        console.print(f"Prometheus should have counted {view.to_count} requests", style="yellow")
    if view.missing and not interrupted:
        console.print(f"did not arrive: {', '.join(view.missing)}", style="bold red")
    if interrupted:
        return INTERRUPTED if run.duration else 0
    return 1 if view.missing or view.ended else 0
