"""The table of the pipeline's parts and their addresses."""

from otelcol_runner.ports import place
from rich.table import Table

from stack.pipeline.launch import Pipeline
from stack.services.alertmanager import RECEIVERS

METRICS_HINT = "query it: /api/v1/query?query=agentical_requests_total"
QUERY_HINT = 'query it: .venv/bin/agentical query "SELECT ..."'
PAGE = "dashboards, traces, logs and alerts, drawn by Perses"
UNREADABLE = "set LOGFIRE_READ_TOKEN to count what is stored, not what was accepted"


def places(pipeline: Pipeline) -> Table:
    """Return a row for everything that can be opened (a URL) or connected to (host and port)."""
    table = Table("part", box=None, padding=(0, 2, 0, 0))
    for header in ("address", ""):
        table.add_column(header, overflow="fold")
    for row in rows(pipeline):
        table.add_row(*row)
    return table


def rows(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    ports = pipeline.ports
    files = f"{pipeline.environment}, {', '.join([pipeline.route, *pipeline.overlays])}"
    found = [("both sides", pipeline.page_url, PAGE)] if pipeline.page else []
    found += [
        ("API", f"{pipeline.api_url}/docs", ""),
        ("collector", place(ports.otlp_http), f"OTLP/HTTP; gRPC on {ports.otlp_grpc}; {files}"),
        ("", pipeline.self_metrics_url, "its own metrics"),
    ]
    if pipeline.local_logfire:
        found.append(("Logfire stand-in", place(ports.logfire), QUERY_HINT))
    else:
        found.append(
            ("Logfire", pipeline.logfire.endpoint, "" if pipeline.read_token else UNREADABLE)
        )
    if pipeline.uses_prometheus:
        # Its start page is not in the Go module that the program is built from.
        found.append(("Prometheus", f"{pipeline.prometheus_url}/api/v1/alerts", METRICS_HINT))
    if pipeline.alertmanager and pipeline.recorder:
        found.append(("Alertmanager", pipeline.alertmanager.url, "firing alerts, silences"))
        found.append(("notifications", pipeline.recorder.url, recorded(pipeline)))
    remark = f"in front of both backends; remote write on {ports.guard_metrics}"
    found.append(("guard", place(ports.guard), remark))
    if "also-scrape" in pipeline.overlays:
        found.append(("", f"http://{place(ports.scrape)}/metrics", "scrape endpoint"))
    found += [
        (name.capitalize(), f"http://{place(getattr(ports, name))}", "") for name in pipeline.extras
    ]
    found.append(("Postgres, Redis", f"{place(ports.postgres)}, :{ports.redis}", ""))
    found.append(("logs", str(pipeline.logs), "removed when it stops"))
    return found


def recorded(pipeline: Pipeline) -> str:
    """Return which receivers' notifications are recorded."""
    here = [name for name in RECEIVERS if name not in pipeline.receivers]
    return f"recorded for: {', '.join(here)}" if here else "none: every receiver has an address"
