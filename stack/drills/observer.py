"""Observes a lab during a drill: which alerts fire, who is notified, and when."""

import time
from collections.abc import Callable
from threading import Event

import httpx
from otelcol_runner.polling import NotSeenError, poll_until

from stack.drills.lab import Fired, Lab, Notification
from stack.tools.progress import Report

INTERVAL = 0.25
# Alerts of this pillar are about the host, which other programs may keep busy or fill.
HOST_PILLAR = "host"
PENDING_CRITICAL = ("pending", "critical")


class DrillFailedError(Exception):
    """One sentence: what was expected, and what happened."""


class DrillObserver:
    """Polls Prometheus and the recorded notifications, and reports every change.

    Args:
        lab: the lab to observe.
        report: called with a line for each change.
        expected: the alert that the drill expects.
        logfire: the name of an alert to evaluate at the stand-in.

    `notified` holds the notifications since its start, and `fired` the alerts that fired since
    then; both without those that `counts` leaves out.
    """

    def __init__(
        self, lab: Lab, report: Report, expected: Fired | None = None, logfire: str = ""
    ) -> None:
        self.lab, self.report, self.expected = lab, report, expected
        self.begun = time.monotonic()
        self.alerts: dict[Fired, str] = {}
        self.notified: list[Notification] = []
        self.fired: set[Fired] = set()
        self.logfire, self.fires_at_logfire = logfire, False
        before = lab.notifications()
        self._known = {alert for one in before for alert in one.alerts}
        self._seen = len(before)

    def log(self, what: str) -> None:
        self.report(f"{time.monotonic() - self.begun:6.1f} s  {what}")

    def until(self, check: Callable[[], bool], what: str, timeout: float) -> None:
        """Observe until the check is true; raises `DrillFailedError` after `timeout` seconds."""
        try:
            poll_until(lambda: self.poll() and check(), what, timeout=timeout, interval=INTERVAL)
        except NotSeenError:
            there = ", ".join(f"{alert} {state}" for alert, state in self.alerts.items())
            raise DrillFailedError(
                f"{what}: not within {timeout:.0f} s; Prometheus shows {there or 'no alert'}"
            ) from None

    def watch(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.poll()
            Event().wait(INTERVAL)

    def poll(self) -> bool:
        """Poll once and report changes; returns False if a server did not answer."""
        try:
            alerts, notified = self.lab.alerts(), self.lab.notifications()
        except httpx.HTTPError:
            return False
        for alert in sorted(alerts.keys() | self.alerts.keys()):
            if (state := alerts.get(alert, "resolved")) != self.alerts.get(alert, "resolved"):
                self.log(f"Prometheus: {alert} {state}{self._aside(alert)}")
        self.alerts = alerts
        self.fired |= {it for it, state in alerts.items() if state == "firing" and self.counts(it)}
        for one in notified[self._seen :]:
            self._notified(one)
        self._seen = len(notified)
        if self.logfire:
            self._ask_logfire()
        return True

    def calm(self) -> bool:
        """Return whether no notification is due, and the expected alert does not fire."""
        open_alerts = self.lab.uninhibited()
        pending = {
            it for it, state in self.alerts.items() if (state, it.severity) == PENDING_CRITICAL
        }
        due = {alert for alert in (open_alerts - self._known) | pending if self.counts(alert)}
        return not due and self.expected not in open_alerts

    def counts(self, alert: Fired) -> bool:
        """Return whether an alert is about the pipeline, not about this machine."""
        return alert.severity != "none" and (alert.pillar != HOST_PILLAR or alert == self.expected)

    def _ask_logfire(self) -> None:
        if (now := self.lab.fires_at_logfire(self.logfire)) != self.fires_at_logfire:
            self.fires_at_logfire = now
            self.log(f"Logfire: {self.logfire} {'firing' if now else 'resolved'}")

    def _notified(self, one: Notification) -> None:
        names = ", ".join(f"{alert}{self._aside(alert)}" for alert in sorted(one.alerts))
        self.log(f"{one.receiver} notified: {names} {one.status}")
        self._known |= one.alerts
        if any(map(self.counts, one.alerts)):
            self.notified.append(one)

    def _aside(self, alert: Fired) -> str:
        return "" if self.counts(alert) or alert.severity == "none" else " (about this machine)"
