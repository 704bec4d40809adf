"""`agentical doctor`: is the pipeline whole, how long does it take, and if not, why."""

import json
import os
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.clients.logfire import Logfire
from stack.doctor.causes import OFF_SECONDS, diagnose, is_lost
from stack.doctor.checkup import LOGFIRE, PROMETHEUS, Checkup, Finding
from stack.errors import UserError, without_passwords
from stack.services import guard
from stack.services.servers import FEATURE_GATES

GUARDED = {"otlp_http/logfire": LOGFIRE, "prometheus_remote_write": PROMETHEUS}


def doctor(
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds to wait; more than TRACE_DECISION_WAIT.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    no_prometheus: Annotated[
        bool, typer.Option(help="Metrics go to Logfire too, as with routes/logfire-only.yaml.")
    ] = False,
) -> None:
    """Send a trace, a log and a metric, and say when each arrived, or why not.

    The exit code is 0 only when all three were found.
    """
    with (
        Logfire.from_environment(timeout=10.0) as logfire,
        prepared(logfire, no_prometheus=no_prometheus) as checkup,
    ):
        checkup.run(timeout, is_lost)
        report = [result(checkup, finding) for finding in checkup.findings.values()]
        warned = warnings(checkup)
    if as_json:
        body = {"probe_id": checkup.probe_id, "signals": report, "warnings": warned}
        typer.echo(json.dumps(body, indent=2))
    else:
        show(report, warned)
    if checkup.missing:
        raise typer.Exit(1)


def prepared(logfire: Logfire, *, no_prometheus: bool) -> Checkup:
    """Return the checkup that the variables describe."""
    get = os.environ.get
    otlp = get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://127.0.0.1:4318"
    prometheus = (get("PROMETHEUS_URL") or "http://127.0.0.1:9090").rstrip("/")
    host, port = get("SELF_METRICS_HOST") or "127.0.0.1", get("SELF_METRICS_PORT") or "8888"
    self_metrics = f"http://{host}:{port}/metrics"
    return Checkup(otlp.rstrip("/"), logfire, None if no_prometheus else prometheus, self_metrics)


def result(checkup: Checkup, finding: Finding) -> dict[str, Any]:
    """Return one signal's line."""
    line: dict[str, Any] = {"signal": finding.signal, "backend": finding.backend}
    if finding.delay is not None:
        return {**line, "found": True, "delay_seconds": round(finding.delay, 2)}
    cause = diagnose(checkup, finding)._asdict()
    said = {name: without_passwords(text) for name, text in cause.items()}
    return {**line, "found": False, **said}


def warnings(checkup: Checkup) -> list[str]:
    """Return what is wrong although the signals may arrive."""
    found = [
        f"the clock of {backend} and this machine's differ by {abs(offset):.0f} s: set them (NTP)"
        for backend, offset in checkup.offsets.items()
        if abs(offset) > OFF_SECONDS
    ]
    try:
        unweighted = checkup.weight_is_missing()
    except UserError:
        unweighted = False  # only what is certain is said
    if unweighted:
        found.append(
            "sampled spans carry no weight, so that SQL on them counts too little: start the "
            f"collector with {FEATURE_GATES}"
        )
    return found + unguarded(checkup)


def unguarded(checkup: Checkup) -> list[str]:
    """Warn of backends that the collector reaches directly, as far as they answer here."""
    bare = [
        backend
        for exporter, backend in GUARDED.items()
        if any(guard.stands_at(url) is False for url in checkup.after.addresses(exporter))
    ]
    sentence = (
        f"no guard stands before {' and '.join(bare)}: what waits there is deleted at an answer of "
        "401, 403 or 500, as to a rotated token: start one, as the head of "
        "collector/guard/Caddyfile says"
    )
    return [sentence] if bare else []


def show(report: list[dict[str, Any]], warned: list[str]) -> None:
    """Print the table, then what to do."""
    console = Console(highlight=False)
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
