"""`agentical doctor`: checks that every signal arrives, and what of each service does."""

import json
import os
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.clients.logfire import Logfire
from stack.doctor.backends import Backends
from stack.doctor.causes import CLOCK_SKEW_SECONDS, diagnose, is_lost
from stack.doctor.checkup import LOGFIRE, PROMETHEUS, Checkup, Finding
from stack.doctor.services import look
from stack.doctor.view import show_services
from stack.errors import UserError, without_passwords
from stack.secrets import address
from stack.services import guard
from stack.services.collector import FEATURE_GATES

GUARDED = {"otlp_http/logfire": LOGFIRE, "prometheus_remote_write": PROMETHEUS}


def doctor(
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds to wait; must exceed TRACE_DECISION_WAIT.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    no_prometheus: Annotated[
        bool,
        typer.Option(
            "--no-prometheus", help="Expect metrics at Logfire, as with routes/logfire-only.yaml."
        ),
    ] = False,
    service: Annotated[
        str,
        typer.Option(help="Report what arrives of this service, or why nothing may arrive."),
    ] = "",
) -> None:
    """Send a trace, a log and a metric, and report when each arrived, or why not.

    Then list the services of the last 10 minutes, and what is wrong in their telemetry.

    The exit code is 0 only if all three were found, and something of the service asked for.
    """
    with (
        Logfire.from_environment(timeout=10.0) as logfire,
        from_environment(logfire, no_prometheus=no_prometheus) as checkup,
    ):
        checkup.run(timeout, is_lost)
        report = [result(checkup, finding) for finding in checkup.findings.values()]
        warned = warnings(checkup)
        services = look(Backends(logfire, checkup.prometheus), service)
    if as_json:
        body = {"probe_id": checkup.probe_id, "signals": report, "warnings": warned}
        typer.echo(json.dumps({**body, **services.as_json()}, indent=2))
    else:
        console = Console(highlight=False)
        show(console, report, warned)
        show_services(console, services, pipeline_works=not checkup.missing)
    if checkup.missing or services.silent:
        raise typer.Exit(1)


def from_environment(logfire: Logfire, *, no_prometheus: bool) -> Checkup:
    """Return the checkup that the environment describes."""
    get = os.environ.get
    otlp = address(os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    prometheus = address(os.environ, "PROMETHEUS_URL", "http://127.0.0.1:9090")
    host, port = get("SELF_METRICS_HOST") or "127.0.0.1", get("SELF_METRICS_PORT") or "8888"
    self_metrics = f"http://{host}:{port}/metrics"
    return Checkup(otlp, logfire, None if no_prometheus else prometheus, self_metrics)


def result(checkup: Checkup, finding: Finding) -> dict[str, Any]:
    line: dict[str, Any] = {"signal": finding.signal, "backend": finding.backend}
    if finding.delay is not None:
        return {**line, "found": True, "delay_seconds": round(finding.delay, 2)}
    cause = diagnose(checkup, finding)._asdict()
    masked = {name: without_passwords(text) for name, text in cause.items()}
    return {**line, "found": False, **masked}


def warnings(checkup: Checkup) -> list[str]:
    """Return the problems that do not keep signals from arriving."""
    found = [
        f"the clocks of {backend} and this machine differ by {abs(offset):.0f} s: synchronise both "
        "(NTP)"
        for backend, offset in checkup.offsets.items()
        if abs(offset) > CLOCK_SKEW_SECONDS
    ]
    try:
        unweighted = checkup.weight_is_missing()
    except UserError:
        unweighted = False  # report only what is certain
    if unweighted:
        found.append(
            "sampled spans have no weight, so SQL on them counts too few: start the collector with "
            f"{FEATURE_GATES}"
        )
    return found + unguarded(checkup)


def unguarded(checkup: Checkup) -> list[str]:
    """Warn of backends that the collector reaches without the guard and that answer here."""
    bare = [
        backend
        for exporter, backend in GUARDED.items()
        if any(guard.stands_at(url) is False for url in checkup.after.addresses(exporter))
    ]
    warning = (
        f"no guard in front of {' and '.join(bare)}: a 401, 403 or 500, as after a token rotation, "
        "deletes queued data: start one, as described at the top of collector/guard/Caddyfile"
    )
    return [warning] if bare else []


def show(console: Console, report: list[dict[str, Any]], warned: list[str]) -> None:
    table = Table("signal", "backend", "found", "delay")
    for line in report:
        found = Text("yes", "green") if line["found"] else Text("no", "red")
        delay = f"{line['delay_seconds']:.2f} s" if line["found"] else ""
        table.add_row(line["signal"], line["backend"], found, delay)
    console.print(table)
    causes: dict[tuple[str, str], list[str]] = {}
    for line in report:
        if not line["found"]:
            causes.setdefault((line["cause"], line["next_step"]), []).append(line["signal"])
    for (cause, next_step), missing in causes.items():
        console.print(Text(f"{', '.join(missing)}: {cause}"), soft_wrap=True)
        console.print(Text(f"  next: {next_step}"), soft_wrap=True)
    for warning in warned:
        console.print(Text(f"warning: {warning}", "yellow"), soft_wrap=True)
