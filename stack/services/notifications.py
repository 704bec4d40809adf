"""The notification recorder as a process, in place of a pager."""

import sys
from typing import Any

from otelcol_runner.ports import accepts, place
from otelcol_runner.process import Process

from stack.clients import http
from stack.paths import ROOT
from stack.services.alertmanager import RECEIVERS


class NotificationRecorder(Process):
    """Receives Alertmanager's webhooks on loopback, and keeps the notifications."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{place(port)}"
        super().__init__(
            "recorder",
            [sys.executable, "-m", "stack.standins.notifications"],
            env={"RECORDER_LISTEN": place(port), "PYDANTIC_DISABLE_PLUGINS": "__all__"},
            cwd=ROOT,
            ready=lambda: accepts(port),
        )

    @property
    def addresses(self) -> dict[str, str]:
        return {receiver: f"{self.url}/{receiver}" for receiver in RECEIVERS}

    def notifications(self) -> list[dict[str, Any]]:
        """Return all notifications, the oldest first; raises `httpx.HTTPError`."""
        found: list[dict[str, Any]] = http.get(self.url).raise_for_status().json()
        return found
