"""The table of what runs where."""

from rich.table import Table

from stack.pipeline.launch import Pipeline
from stack.services.alertmanager import RECEIVERS

ASK = 'ask it: .venv/bin/agentical query "SELECT ..."'
UNREAD = "set LOGFIRE_READ_TOKEN to count what it has, not what it took"


def places(pipeline: Pipeline) -> Table:
    """Return one row for everything that a person may want to open or to connect to."""
    table = Table("what", box=None, padding=(0, 2, 0, 0))
    for header in ("where", ""):
        table.add_column(header, overflow="fold")
    for row in rows(pipeline):
        table.add_row(*row)
    return table


def rows(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    """Return name, place and remark of each part."""
    ports = pipeline.ports
    files = f"{pipeline.environment}, {', '.join([pipeline.route, *pipeline.overlays])}"
    found = [
        ("API", f"{pipeline.api_url}/docs", ""),
        ("collector", pipeline.otlp_url, f"OTLP over HTTP; gRPC on {ports.otlp_grpc}; {files}"),
        ("", pipeline.self_metrics_url, "its metrics about itself"),
    ]
    if pipeline.local_logfire:
        found.append(("Logfire stand-in", pipeline.logfire_url, ASK))
    else:
        found.append(("Logfire", pipeline.logfire.endpoint, "" if pipeline.read_token else UNREAD))
    if pipeline.uses_prometheus:
        found.append(
            ("Prometheus", pipeline.prometheus_url, "/api/v1/query?query=agentical_requests_total")
        )
    if pipeline.alertmanager and pipeline.recorder:
        found.append(("Alertmanager", pipeline.alertmanager.url, "what fires, silences"))
        found.append(("notifications", pipeline.recorder.url, told(pipeline)))
    found.append(("guard", pipeline.guard.url, f"before both; remote write: {ports.guard_metrics}"))
    if "also-scrape" in pipeline.overlays:
        found.append(("", f"http://127.0.0.1:{ports.scrape}/metrics", "scrape endpoint"))
    found += [
        (name.capitalize(), f"http://127.0.0.1:{getattr(ports, name)}", "")
        for name in pipeline.extras
    ]
    found.append(("Postgres, Redis", f"127.0.0.1:{ports.postgres}, :{ports.redis}", ""))
    found.append(("logs", str(pipeline.logs), "until it ends"))
    return found


def told(pipeline: Pipeline) -> str:
    """Say whose notifications the recorder has."""
    here = [name for name in RECEIVERS if name not in pipeline.receivers]
    return f"what was told to: {', '.join(here)}" if here else "none: all have an address"
