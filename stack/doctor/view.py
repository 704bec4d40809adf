"""What the doctor prints about services."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.doctor.producers import Producer
from stack.doctor.promql import MINUTES
from stack.doctor.services import Services
from stack.doctor.silent import CAUSES, CAUSES_OF_NO_SPANS, similar


def show_services(console: Console, services: Services, *, pipeline_works: bool) -> None:
    """Print the list, or what is known about the service that was asked for."""
    for problem in services.problems:
        line(console, f"services are not all known: {problem}", "yellow")
    if not services.asked:
        show_producers(console, services.known)
        return
    for one in services.meant:
        show_producer(console, one, services.routes[one.name])
    if services.silent and not services.problems:
        others = [one.name for one in services.known]
        show_silence(console, services.asked, others, pipeline_works=pipeline_works)


def show_producers(console: Console, found: Iterable[Producer]) -> None:
    """Print one line for each service, and one for each finding."""
    services = list(found)
    if not services:
        line(console, f"no service has sent anything in the last {MINUTES} minutes")
        return
    line(console, f"services of the last {MINUTES} minutes:")
    table = Table()
    table.add_column("service", overflow="fold")
    for heading in ("requests", "spans", "logs", "metrics"):
        table.add_column(heading, justify="right")
    for one in services:
        counts = (round(one.requests), one.spans.total(), one.logs.total(), one.metrics)
        table.add_row(Text(one.name), *(f"{count:,}" if count else "" for count in counts))
    console.print(table)
    for one in services:
        for finding in one.findings:
            line(console, f"{one.name}: {finding}", "yellow")


def show_producer(console: Console, one: Producer, routes: Sequence[dict[str, Any]]) -> None:
    """Print what is known about one service that has sent something."""
    show_producers(console, [one])
    for signal, scopes in (("spans", one.spans), ("logs", one.logs)):
        if scopes:
            line(console, f"{signal} by instrumentation scope: {listed(scopes)}")
    if routes:
        table = Table("method")
        table.add_column("route", overflow="fold")
        table.add_column("status")
        table.add_column("requests", justify="right")
        for row in routes:
            cells = (Text(row["method"]), Text(row["endpoint"]), Text(row["status"]))
            table.add_row(*cells, f"{row['requests']:,}")
        console.print(table)
    if not one.spans and not one.requests:
        numbered(console, f"{one.name} sends no spans; likely causes:", CAUSES_OF_NO_SPANS)


def show_silence(
    console: Console, name: str, others: Sequence[str], *, pipeline_works: bool
) -> None:
    """Print why nothing may have arrived of a service."""
    line(console, f"nothing of {name} has arrived in the last {MINUTES} minutes", "red")
    if meant := similar(name, others):
        line(console, f"  is it {' or '.join(meant)}?")
    elif others:
        line(console, f"  these have: {', '.join(others)}")
    if pipeline_works:
        numbered(console, "likely causes, to check in the service's environment and log:", CAUSES)
    else:
        line(console, "  the probe did not arrive either: solve that first")


def listed(scopes: Counter[str]) -> str:
    return ", ".join(f"{scope} ({items:,})" for scope, items in scopes.most_common())


def numbered(console: Console, heading: str, causes: Iterable[str]) -> None:
    line(console, heading)
    for number, cause in enumerate(causes, 1):
        indented = textwrap.indent(textwrap.fill(cause, console.width - 4), "    ")
        line(console, f" {number}. {indented.strip()}")


def line(console: Console, sentence: str, style: str = "") -> None:
    console.print(Text(sentence, style), soft_wrap=True)
