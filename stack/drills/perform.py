"""Performs a drill: break, see the alert and who is told, mend, see it clear."""

from stack.drills.drill import Drill
from stack.drills.lab import Fired, Lab, Notification
from stack.drills.watch import DrillFailedError, Watch
from stack.tools.progress import Report

# Minutes of the pipeline's time: until an alert fires, until it is over, how long it stays broken
# after that and is watched when it is well again (by whether it spreads). OURS is in seconds, and
# not compressed.
TO_FIRE, TO_CLEAR, HEALTHY = 15.0, 45.0, 10.0
BROKEN, AFTERMATH = {False: 3.0, True: 9.5}, {False: 0.0, True: 6.0}
OURS = 25.0


def perform(drill: Drill, lab: Lab, report: Report) -> None:
    """Perform one drill. Raises `DrillFailedError`."""
    to_fire, to_clear = lab.seconds(TO_FIRE) + OURS, lab.seconds(TO_CLEAR) + OURS
    before = Watch(lab, report, drill.alert)
    before.until(before.calm, "nothing fires before it", to_clear)
    # Another one: what was told until now is not of the drill.
    watch = Watch(lab, report, drill.alert, drill.logfire)
    with drill.broken(lab):
        watch.say(f"broken: {drill.breaks}")
        watch.until(
            lambda: known(drill, watch, "firing"),
            f"the {drill.receiver} is told {drill.expected}",
            to_fire,
        )
        watch.hold(lab.seconds(BROKEN[drill.spreads]))
    watch.say("mended")
    watch.until(
        lambda: known(drill, watch, "resolved"), f"{drill.expected} is over for all", to_clear
    )
    watch.hold(lab.seconds(AFTERMATH[drill.spreads]))
    told_once(drill, watch.told)


def known(drill: Drill, watch: Watch, status: str) -> bool:
    """Tell whether those who shall know that it fires, or that it is over, do."""
    if drill.logfire and watch.fires_at_logfire != (status == "firing"):
        return False
    return drill.alert is None or page(drill, drill.alert, status) in watch.told


def page(drill: Drill, alert: Fired, status: str = "firing") -> Notification:
    """Return the notification that a drill is about."""
    return Notification(drill.receiver, status, frozenset({alert}))


def told_once(drill: Drill, told: list[Notification]) -> None:
    """Raise `DrillFailedError` unless the alert was told once, and nobody anything else.

    The ticket that follows a page, for what is left of the same, is no second call.
    """
    fired = [one for one in told if one.status == "firing"]
    expected = page(drill, drill.alert) if drill.alert else None
    if unasked := [one for one in fired if one != expected and not allowed(drill, one)]:
        raise DrillFailedError(f"people were told more than {drill.expected}: {texts(unasked)}")
    if expected and (times := fired.count(expected)) != 1:
        raise DrillFailedError(f"{drill.expected} was told {times} times")


def allowed(drill: Drill, one: Notification) -> bool:
    """Tell whether a notification may come beside the expected one."""
    ticket = one.receiver == "tickets" != drill.receiver
    names = {alert.name for alert in one.alerts}
    return names <= drill.also or (ticket and names == {drill.expected})


def healthy(lab: Lab, report: Report) -> None:
    """Watch ten minutes' worth of a healthy load. Raises `DrillFailedError` if anything fires."""
    start = Watch(lab, report)
    start.until(start.calm, "nothing fires after the start", lab.seconds(TO_CLEAR) + OURS)
    watch = Watch(lab, report)
    watch.hold(lab.seconds(HEALTHY))
    told = [one for one in watch.told if one.status == "firing"]
    if told or watch.fired:
        what = texts(told) or ", ".join(sorted(map(str, watch.fired)))
        raise DrillFailedError(f"a healthy load should alert nobody: {what}")


def texts(told: list[Notification]) -> str:
    """Return notifications as words."""
    return "; ".join(
        f"{one.receiver}: {', '.join(sorted({alert.name for alert in one.alerts}))}" for one in told
    )
