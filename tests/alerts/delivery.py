"""An Alertmanager on the shipped configuration, but faster, and its notifications."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port

from stack.drills.faster import faster
from stack.paths import PROMETHEUS
from stack.services.alertmanager import Alertmanager
from stack.services.notifications import NotificationRecorder

FACTOR = 60
SHIPPED = PROMETHEUS / "alertmanager.yml"
Fired = dict[str, str]


class Delivery:
    """An Alertmanager and the recorder of its notifications."""

    def __init__(self, alertmanager: Alertmanager, recorder: NotificationRecorder) -> None:
        self.alertmanager, self.recorder = alertmanager, recorder

    def fire(self, *alerts: Fired) -> None:
        """Post these alerts as firing, as Prometheus does."""
        self._post(*alerts)

    def resolve(self, *alerts: Fired) -> None:
        """Post these alerts as resolved."""
        self._post(*alerts, endsAt=datetime.now(UTC).isoformat())

    def notified(self, status: str = "firing") -> list[tuple[str, list[str]]]:
        """Return the receiver and the alerts' names of each notification."""
        return [
            (one["receiver"], sorted(alert["labels"]["alertname"] for alert in one["alerts"]))
            for one in self.recorder.notifications()
            if one["status"] == status
        ]

    def wait_until_notified(self, receiver: str, *names: str, status: str = "firing") -> None:
        """Wait for a notification; the error says which ones there were."""
        wanted = (receiver, sorted(names))
        poll_until(
            lambda: wanted in self.notified(status),
            f"{wanted} {status}",
            timeout=20,
            seen=self.notified,
        )

    def wait_until_inhibited(self, groups: int) -> None:
        """Wait until this many groups are suppressed by an inhibition."""
        poll_until(lambda: self._silenced() >= groups, f"{groups} groups inhibited", timeout=20)

    def _silenced(self) -> float:
        name = 'alertmanager_notifications_suppressed_total{reason="inhibition"} '
        lines = httpx.get(f"{self.alertmanager.url}/metrics").text.splitlines()
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    def _post(self, *alerts: Fired, **fields: Any) -> None:
        body = [{"labels": labels, **fields} for labels in alerts]
        url = f"{self.alertmanager.url}/api/v2/alerts"
        httpx.post(url, json=body).raise_for_status()


@contextmanager
def delivering(folder: Path, factor: float = FACTOR) -> Iterator[Delivery]:
    """Run both, with every wait divided by `factor`."""
    config = folder / "alertmanager.yml"
    config.write_text(faster(SHIPPED.read_text(), factor))
    with (
        NotificationRecorder(free_port()) as recorder,
        Alertmanager(
            free_port(), folder / "data", recorder.addresses, config=config
        ) as alertmanager,
    ):
        yield Delivery(alertmanager, recorder)
