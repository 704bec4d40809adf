"""`agentical capacity`: options and their checks."""

from math import isfinite
from typing import Annotated

import typer

from stack.capacity.demand import Demand
from stack.capacity.figures import Measured, measured
from stack.capacity.kubernetes import sizes
from stack.capacity.model import need
from stack.capacity.patch import patch
from stack.capacity.shipped import Limits, limits
from stack.capacity.view import as_json, show
from stack.errors import UserError

POSITIVE = ("requests_per_second", "spans_per_request", "processes", "nodes", "utilisation")
PERCENT = (
    *("sample_percent", "always_percent"),
    *("log_sample_percent", "always_log_percent"),
    "utilisation",
)


def capacity(
    requests_per_second: Annotated[
        float, typer.Option(help="Of all services together; each request is one trace.")
    ],
    outage_hours: Annotated[float, typer.Option(help="How long both backends may be down.")] = 1.0,
    sample_percent: Annotated[
        float | None, typer.Option(help="TRACE_SAMPLE_PERCENT.", show_default="production's")
    ] = None,
    always_percent: Annotated[
        float, typer.Option(help="Percent of traces with an error or a slow request.")
    ] = 1.0,
    log_sample_percent: Annotated[
        float | None, typer.Option(help="LOG_SAMPLE_PERCENT.", show_default="production's")
    ] = None,
    always_log_percent: Annotated[
        float, typer.Option(help="Percent of log records at WARN or above, or without a trace.")
    ] = 1.0,
    spans_per_request: Annotated[
        float | None, typer.Option(help="Per trace.", show_default="measured on our task")
    ] = None,
    logs_per_request: Annotated[
        float | None, typer.Option(help="Per trace.", show_default="measured on our task")
    ] = None,
    processes: Annotated[
        int, typer.Option(help="Of services, including workers and replicas.")
    ] = 2,
    series_per_process: Annotated[
        float | None,
        typer.Option(help="In Prometheus, per process.", show_default="measured on our service"),
    ] = None,
    decision_wait: Annotated[
        float | None,
        typer.Option(help="TRACE_DECISION_WAIT in seconds.", show_default="production's"),
    ] = None,
    utilisation: Annotated[
        float, typer.Option(help="Target CPU utilisation of a gateway's core, in percent.")
    ] = 50.0,
    nodes: Annotated[
        int | None,
        typer.Option(
            help="Of Kubernetes, whose pods send the load; each has an agent.",
            show_default="none, and 1 with --kubernetes",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Print a Kustomize patch instead of a table.")
    ] = False,
) -> None:
    """Calculate how many gateways a load needs, their memory and disk, and Logfire's price."""
    if json and kubernetes:
        raise UserError("--json and --kubernetes print different things: choose one of them")
    constants, shipped = measured(), limits()
    options = {
        "requests_per_second": requests_per_second,
        "outage_hours": outage_hours,
        "sample_percent": sample_percent,
        "always_percent": always_percent,
        "log_sample_percent": log_sample_percent,
        "always_log_percent": always_log_percent,
        "spans_per_request": spans_per_request,
        "logs_per_request": logs_per_request,
        "processes": processes,
        "series_per_process": series_per_process,
        "decision_wait": decision_wait,
        "utilisation": utilisation,
        "nodes": nodes if nodes is not None or not kubernetes else 1,
    }
    demand = checked(options, constants, shipped)
    found = need(demand, constants, shipped)
    if kubernetes:
        typer.echo(patch(demand, sizes(demand, found, constants, shipped), shipped), nl=False)
    elif json:
        typer.echo(as_json(demand, found))
    else:
        show(demand, found, shipped, constants)


def checked(options: dict[str, float | None], constants: Measured, shipped: Limits) -> Demand:
    """Return the demand with defaults filled in; raises `UserError` for an invalid value."""
    defaults = {
        "sample_percent": shipped.sample_percent,
        "log_sample_percent": shipped.log_sample_percent,
        "spans_per_request": constants.spans_per_request,
        "logs_per_request": constants.logs_per_request,
        "series_per_process": constants.series.process,
        "decision_wait": shipped.decision_wait,
    }
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        check(name, value)
    figures = {**defaults, **given}
    utilisation = figures.pop("utilisation") / 100
    processes, nodes = int(figures.pop("processes")), int(figures.pop("nodes", 0))
    return Demand(**figures, utilisation=utilisation, processes=processes, nodes=nodes)


def check(name: str, value: float) -> None:
    """Raise `UserError` if an option's value is invalid."""
    option = "--" + name.replace("_", "-")
    if not isfinite(value) or value < 0 or (value == 0 and name in POSITIVE):
        least = "more than 0" if name in POSITIVE else "0 or more"
        raise UserError(f"{option} is {value:g}: set it to a number, {least}")
    if name in PERCENT and value > 100:
        raise UserError(f"{option} is {value:g}: set it to a percentage, 100 or less")
