"""Watches a lab during a drill: what fires, who is told, and when."""

import time
from collections.abc import Callable
from threading import Event

import httpx
from otelcol_runner.polling import NotSeenError, poll_until

from stack.drills.lab import Fired, Lab, Notification
from stack.tools.progress import Report

INTERVAL = 0.25
# Alerts of this pillar are about the machine below: others may keep it busy, and fill its disks.
MACHINE = "host"
SOON = ("pending", "critical")


class DrillFailedError(Exception):
    """One sentence: what should have happened, and what did."""


class Watch:
    """Looks at Prometheus and at the recorder again and again, and reports every change.

    Args:
        lab: what is looked at.
        report: told each change in a line.
        about: the alert that the drill is about.
        logfire: the name of an alert to ask the stand-in for.

    `told` holds the notifications since the watch began, `fired` every alert that fired meanwhile,
    and both only what counts.
    """

    def __init__(
        self, lab: Lab, report: Report, about: Fired | None = None, logfire: str = ""
    ) -> None:
        self.lab, self.report, self.about = lab, report, about
        self.begun = time.monotonic()
        self.alerts: dict[Fired, str] = {}
        self.told: list[Notification] = []
        self.fired: set[Fired] = set()
        self.logfire, self.fires_at_logfire = logfire, False
        before = lab.told()
        self._known = {alert for one in before for alert in one.alerts}
        self._seen = len(before)

    def say(self, what: str) -> None:
        """Add a line to the timeline."""
        self.report(f"{time.monotonic() - self.begun:6.1f} s  {what}")

    def until(self, check: Callable[[], bool], what: str, timeout: float) -> None:
        """Look until it is so. Raises `DrillFailedError`."""
        try:
            poll_until(lambda: self.look() and check(), what, timeout=timeout, interval=INTERVAL)
        except NotSeenError:
            there = ", ".join(f"{alert} {state}" for alert, state in self.alerts.items())
            raise DrillFailedError(
                f"{what}: not within {timeout:.0f} s; Prometheus has {there or 'no alert'}"
            ) from None

    def hold(self, seconds: float) -> None:
        """Look for so long, whatever happens."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            Event().wait(INTERVAL)

    def look(self) -> bool:
        """Look once, and report what is new; False when somebody did not answer."""
        try:
            alerts, told = self.lab.alerts(), self.lab.told()
        except httpx.HTTPError:
            return False
        for alert in sorted(alerts.keys() | self.alerts.keys()):
            if (state := alerts.get(alert, "over")) != self.alerts.get(alert, "over"):
                self.say(f"Prometheus: {alert} {state}{self._aside(alert)}")
        self.alerts = alerts
        self.fired |= {it for it, state in alerts.items() if state == "firing" and self.counts(it)}
        for one in told[self._seen :]:
            self._hear(one)
        self._seen = len(told)
        if self.logfire:
            self._ask_logfire()
        return True

    def calm(self) -> bool:
        """Tell whether nothing is left to be told, and what the drill is about does not fire."""
        open_ones = self.lab.unsilenced()
        soon = {it for it, state in self.alerts.items() if (state, it.severity) == SOON}
        untold = {alert for alert in (open_ones - self._known) | soon if self.counts(alert)}
        return not untold and self.about not in open_ones

    def counts(self, alert: Fired) -> bool:
        """Tell whether an alert says something about the drill."""
        return alert.severity != "none" and (alert.pillar != MACHINE or alert == self.about)

    def _ask_logfire(self) -> None:
        if (now := self.lab.fires_at_logfire(self.logfire)) != self.fires_at_logfire:
            self.fires_at_logfire = now
            self.say(f"Logfire: {self.logfire} {'firing' if now else 'over'}")

    def _hear(self, one: Notification) -> None:
        names = ", ".join(f"{alert}{self._aside(alert)}" for alert in sorted(one.alerts))
        self.say(f"{one.receiver} told: {names} {one.status}")
        self._known |= one.alerts
        if any(map(self.counts, one.alerts)):
            self.told.append(one)

    def _aside(self, alert: Fired) -> str:
        return "" if self.counts(alert) or alert.severity == "none" else ", of this machine"
