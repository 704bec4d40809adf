"""`agentical view`: the page alone."""

import os
from contextlib import suppress
from dataclasses import replace

import typer
from otelcol_runner.loopback import is_loopback

from stack.errors import without_passwords
from stack.pipeline.interrupts import interruptible
from stack.tools import page
from stack.view.server import bound, serve
from stack.view.settings import Settings

OPEN = (
    "It has no login: whoever reaches this address reads all that its tokens give access to "
    "(docs/view.md)"
)


def view() -> None:
    """Build the page if need be, and serve it until Ctrl-C; raises `UserError`."""
    settings = Settings.from_environment(os.environ)
    with interruptible(), suppress(KeyboardInterrupt), bound(settings) as listener:
        if not os.environ.get("VIEW_FILES"):
            settings = replace(settings, files=page.provide())
        typer.echo(introduction(settings))
        serve(settings, listener)


def introduction(settings: Settings) -> str:
    """Say where the page is and what it shows."""
    shown = {
        "Prometheus": settings.prometheus,
        "Logfire": settings.logfire,
        "Alertmanager": settings.alertmanager,
    }
    sides = [f"{name} at {without_passwords(url)}" for name, url in shown.items() if url]
    what = ", ".join(sides) or "nothing: set PROMETHEUS_URL or LOGFIRE_QUERY_ENDPOINT"
    open_to = "" if is_loopback(f"http://{settings.place}") else f"\n{OPEN}"
    return f"http://{settings.place} shows {what}; press Ctrl-C to stop{open_to}"
