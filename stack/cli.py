"""The command line `agentical`."""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stack.capacity import command as capacity
from stack.clients import alerts, query
from stack.demo import command as demo
from stack.doctor import command as doctor
from stack.errors import UserError
from stack.tools import page, toolchain
from stack.tools.programs import RUN, TEST
from stack.tools.progress import say


class Commands(TyperGroup):
    """The commands; a variable with a bad value is named in a sentence, not in a box of options."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; raises `UserError`."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            variable = error.param.envvar if error.param else None
            if not isinstance(variable, str) or variable not in os.environ:
                raise
            wrong = error.message.removeprefix("Value error, ").rstrip(".")
            wrong = wrong[:1].lower() + wrong[1:]
            raise UserError(f"{variable}={os.environ[variable]}: {wrong}") from None


cli = typer.Typer(
    name="agentical",
    cls=Commands,
    help="Run and check the pipeline on one machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@cli.callback()
def main() -> None:
    """Run and check the pipeline on one machine."""


@cli.command()
def tools(
    tests: Annotated[
        bool, typer.Option("--tests", help="Also those that only tests need.")
    ] = False,
    actionlint: Annotated[
        bool, typer.Option("--actionlint", help="Only actionlint; prints its path.")
    ] = False,
) -> None:
    """Find or build the collector, Prometheus, Alertmanager and the page; print their paths."""
    if actionlint:
        typer.echo(toolchain.actionlint())
        return
    wanted = RUN + (TEST if tests else ())
    with page.beside(say) as finish:  # its packages are fetched while Go compiles
        paths = toolchain.provide_all(wanted)
        built = finish()
    for tool, path in zip(wanted, paths, strict=True):
        typer.echo(f"{tool.name:<14}{path}")
    if built:
        typer.echo(f"{'page':<14}{built}")


cli.command()(demo.demo)
cli.command()(doctor.doctor)
cli.command()(query.query)
cli.command()(alerts.alerts)
cli.command()(capacity.capacity)


@cli.command("stand-in")
def stand_in() -> None:
    """Run the Logfire stand-in until Ctrl-C."""
    from stack.standins.logfire.__main__ import main as serve  # its query engine is slow to import

    serve()


@cli.command()
def view() -> None:
    """Serve the page of dashboards, traces, logs and alerts, for any Prometheus and Logfire.

    PROMETHEUS_URL, LOGFIRE_QUERY_ENDPOINT with LOGFIRE_READ_TOKEN, and ALERTMANAGER_URL name what
    it shows; "none" leaves one out. The page is built once.
    """
    from stack.view import command  # the server is slow to import

    command.view()


@cli.command()
def drill(
    name: Annotated[str, typer.Argument(help="Which drill; without it, list all.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Run all drills on one pipeline.")] = False,
    factor: Annotated[
        float,
        typer.Option(envvar="FACTOR", min=1, max=60, help="Time runs this many times faster."),
    ] = 22.0,
) -> None:
    """Break a running pipeline, and check which alerts fire and who is notified.

    The drill starts a pipeline of its own: the demo's, on free ports and with compressed time.
    """
    from stack.drills import command  # it is slow to import: it reads all alerts

    command.drill(name, every=every, factor=factor)


def app() -> None:
    """Run the command line; a `UserError` prints one sentence and exits with 1."""
    try:
        cli()
    except UserError as error:
        print(f"agentical: {error}", file=sys.stderr)  # noqa: T201 - the error text itself
        sys.exit(1)
