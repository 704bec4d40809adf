"""The command line `agentical`."""

import sys

import typer

from stack.errors import UserError

cli = typer.Typer(
    name="agentical",
    help="Run and check the pipeline on one machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@cli.callback()
def main() -> None:
    """Run and check the pipeline on one machine."""


def app() -> None:
    """Run the command line; a user's error is one sentence and exit code 1."""
    try:
        cli()
    except UserError as error:
        print(f"agentical: {error}", file=sys.stderr)  # noqa: T201 - the error text itself
        sys.exit(1)
