"""Performs a drill: break, expect alert and notification, repair, expect both to resolve."""

from stack.drills.drill import Drill
from stack.drills.lab import Fired, Lab, Notification
from stack.drills.observer import DrillFailedError, DrillObserver
from stack.tools.progress import Report

# Minutes of compressed time: for the alert to fire and to resolve, and for the healthy run. By
# `spreads`: how long the pipeline stays broken after the alert, and is observed after the repair.
TO_FIRE, TO_RESOLVE, HEALTHY = 15.0, 45.0, 10.0
BROKEN, AFTERMATH = {False: 3.0, True: 9.5}, {False: 0.0, True: 6.0}
OVERHEAD = 25.0  # real seconds, not compressed: starts, exports, polls


def perform(drill: Drill, lab: Lab, report: Report) -> None:
    to_fire, to_resolve = lab.seconds(TO_FIRE) + OVERHEAD, lab.seconds(TO_RESOLVE) + OVERHEAD
    before = DrillObserver(lab, report, drill.alert)
    before.until(before.calm, "no alert fires before the drill", to_resolve)
    # A new observer: earlier notifications are not the drill's.
    observer = DrillObserver(lab, report, drill.alert, drill.logfire)
    with drill.broken(lab):
        observer.log(f"broken: {drill.breaks}")
        observer.until(
            lambda: reported(drill, observer, "firing"),
            f"{drill.receiver} is notified of {drill.expected}",
            to_fire,
        )
        observer.watch(lab.seconds(BROKEN[drill.spreads]))
    observer.log("repaired")
    observer.until(
        lambda: reported(drill, observer, "resolved"), f"{drill.expected} is resolved", to_resolve
    )
    observer.watch(lab.seconds(AFTERMATH[drill.spreads]))
    check_notifications(drill, observer.notified)


def reported(drill: Drill, observer: DrillObserver, status: str) -> bool:
    """Return whether the expected notification was sent, and Logfire's alert has this status."""
    if drill.logfire and observer.fires_at_logfire != (status == "firing"):
        return False
    return (
        drill.alert is None
        or expected_notification(drill, drill.alert, status) in observer.notified
    )


def expected_notification(drill: Drill, alert: Fired, status: str = "firing") -> Notification:
    """Return the notification that a drill expects."""
    return Notification(drill.receiver, status, frozenset({alert}))


def check_notifications(drill: Drill, notifications: list[Notification]) -> None:
    """Raise `DrillFailedError` unless there was one notification, of the expected alert.

    A ticket for the same alert may follow the page.
    """
    fired = [one for one in notifications if one.status == "firing"]
    expected = expected_notification(drill, drill.alert) if drill.alert else None
    if unexpected := [one for one in fired if one != expected and not allowed(drill, one)]:
        raise DrillFailedError(f"notifications other than {drill.expected}: {texts(unexpected)}")
    if expected and (times := fired.count(expected)) != 1:
        raise DrillFailedError(f"{drill.expected}: {times} notifications instead of one")


def allowed(drill: Drill, one: Notification) -> bool:
    """Return whether a notification may accompany the expected one."""
    ticket = one.receiver == "tickets" != drill.receiver
    names = {alert.name for alert in one.alerts}
    return names <= drill.also or (ticket and names == {drill.expected})


def healthy(lab: Lab, report: Report) -> None:
    """Watch ten minutes of a healthy load; raises `DrillFailedError` if an alert fires."""
    start = DrillObserver(lab, report)
    start.until(start.calm, "no alert fires after the start", lab.seconds(TO_RESOLVE) + OVERHEAD)
    observer = DrillObserver(lab, report)
    observer.watch(lab.seconds(HEALTHY))
    notified = [one for one in observer.notified if one.status == "firing"]
    if notified or observer.fired:
        what = texts(notified) or ", ".join(sorted(map(str, observer.fired)))
        raise DrillFailedError(f"no alert may fire under a healthy load: {what}")


def texts(notifications: list[Notification]) -> str:
    return "; ".join(
        f"{one.receiver}: {', '.join(sorted({alert.name for alert in one.alerts}))}"
        for one in notifications
    )
