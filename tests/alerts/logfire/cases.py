"""The alerts that Logfire evaluates: rows on both sides of each threshold.

The expectations are written down a second time here, on purpose. `survives` tells whether an entry
of the matrix, changed or not, meets them all: a change that survives is not covered by a test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from alerts import queries
from alerts.model import Alert, matrix
from stack.clients.logfire import duration
from stack.standins.logfire.query.engine import Query, run
from stack.standins.logfire.store import Store
from tests.alerts.logfire.rows import Rows, just_inside, just_outside, store_of
from tests.alerts.logfire.traffic import (
    asked,
    broken,
    called,
    executed,
    lookalikes,
    lost,
    lost_between,
    served,
    took,
)
from tests.support.shapes import redis

ALERTS = {alert.name: alert for alert in matrix().alerts if alert.logfire is not None}
API, WORKER, DOCTOR = "agentical-api", "agentical-worker", "agentical-doctor"


@dataclass(frozen=True)
class Case:
    """Rows, and whether an alert fires on them; with `sampled` also on a sample of them."""

    says: str
    fires: bool
    rows: Callable[[], Rows]
    sampled: bool = True

    def __str__(self) -> str:
        return self.says


@dataclass(frozen=True)
class Expected:
    """What an alert is expected to be; window and frequency in seconds. The first case fires."""

    severity: str
    window: int
    frequency: int
    cases: tuple[Case, ...]


def survives(alert: Alert) -> bool:
    """Tell whether an entry of the matrix meets every expectation for its name."""
    return tells_as_expected(alert) and all(meets(alert, case) for case in all_cases(alert.name))


def tells_as_expected(alert: Alert) -> bool:
    """Tell whether severity and frequency are as expected."""
    expected = EXPECTED[alert.name]
    frequency = duration(queries.evaluated(alert).frequency).total_seconds()
    return (alert.severity, frequency) == (expected.severity, expected.frequency)


def meets(alert: Alert, case: Case) -> bool:
    """Tell whether the alert does as the case says, with all rows and with a sample of them."""
    forms = {False, case.sampled}
    return all(fires(alert, *stored(case, sampled=form)) is case.fires for form in forms)


def fires(alert: Alert, store: Store, now: datetime) -> bool:
    """Tell whether the alert fires on the stored rows at this time, within its window."""
    since = now - duration(queries.evaluated(alert).window)
    asked = Query(sql=queries.sql(alert), min_timestamp=since, max_timestamp=now)
    return bool(run(asked, store).num_rows)


def with_threshold(alert: Alert, threshold: float = 0.0) -> Alert:
    """Return the alert with a threshold so low that one event fires it."""
    shipped = queries.evaluated(alert)
    floors = {
        number: value if number == "slice_seconds" else float(number.startswith("min_"))
        for number, value in shipped.numbers.items()
    }
    changed = shipped.model_copy(update={"threshold": threshold, "numbers": floors})
    return alert.model_copy(update={"logfire": changed})


@cache
def all_cases(name: str) -> tuple[Case, ...]:
    """Return an alert's cases; the first one also sent by the doctor, and at the window's edges."""
    expected = EXPECTED[name]
    rows, window = expected.cases[0].rows, expected.window
    return (
        *expected.cases,
        Case("nothing", False, dict),
        Case("the same, sent by the doctor", False, lambda: by_doctor(rows())),
        Case("just inside the window", True, lambda: just_inside(rows(), window)),
        Case("just outside the window", False, lambda: just_outside(rows(), window)),
    )


@cache
def stored(case: Case, *, sampled: bool) -> tuple[Store, datetime]:
    """Return a case's rows as they are stored, and the time of the evaluation."""
    return store_of(case.rows(), sampled=sampled)


def by_doctor(rows: Rows) -> Rows:
    """Return the rows as sent by the doctor."""
    return {DOCTOR: [item for items in rows.values() for item in items]}


EXPECTED = {
    "ApplicationErrorRateHigh": Expected(
        "critical",
        window=300,
        frequency=60,
        cases=(
            Case("51 of 1000 requests fail", True, lambda: {API: served(949, 51)}),
            Case("50 of 1000 requests fail", False, lambda: {API: served(950, 50)}),
            Case("all 5 requests fail", True, lambda: {API: served(0, 5)}),
            Case("all 4 requests fail", False, lambda: {API: served(0, 4)}),
            Case("all are refused", False, lambda: {API: served(0, 50, code=499)}),
            Case("outgoing calls fail", False, lambda: {WORKER: called(50)}),
            Case(
                "a busy service does not hide a failing one",
                True,
                lambda: {WORKER: served(500), API: served(0, 10)},
            ),
        ),
    ),
    "ApplicationLatencyHigh": Expected(
        "warning",
        window=300,
        frequency=60,
        cases=(
            Case("51 of 1000 requests are slow", True, lambda: {API: took(949, 51)}),
            Case("50 of 1000 requests are slow", False, lambda: {API: took(950, 50)}),
            Case("all 5 requests are slow", True, lambda: {API: took(0, 5)}),
            Case("all 4 requests are slow", False, lambda: {API: took(0, 4)}),
            Case("outgoing calls are slow", False, lambda: {WORKER: called(50)}),
            Case(
                "a busy service does not hide a slow one",
                True,
                lambda: {WORKER: took(500, 0), API: took(0, 10)},
            ),
        ),
    ),
    "AgentTaskFailureRateHigh": Expected(
        "warning",
        window=600,
        frequency=60,
        cases=(
            Case("101 of 1000 tasks fail", True, lambda: {WORKER: executed(899, 101)}),
            Case("100 of 1000 tasks fail", False, lambda: {WORKER: executed(900, 100)}),
            Case("all 10 tasks fail", True, lambda: {WORKER: executed(0, 10)}),
            Case("all 9 tasks fail", False, lambda: {WORKER: executed(0, 9)}),
            Case("logs do not count", True, lambda: {WORKER: [*executed(0, 10), *lookalikes(100)]}),
        ),
    ),
    "DatabaseQuerySlow": Expected(
        "warning",
        window=300,
        frequency=60,
        cases=(
            Case("1.02 s on average", True, lambda: {API: asked(60, 40, seconds=1.8)}),
            Case("0.98 s on average", False, lambda: {API: asked(60, 40, seconds=1.7)}),
            Case("all 5 are slow", True, lambda: {API: asked(0, 5, seconds=1.1)}, sampled=False),
            Case("all 4 are slow", False, lambda: {API: asked(0, 4, seconds=1.1)}, sampled=False),
            Case(
                "logs do not count",
                True,
                lambda: {API: [*asked(60, 40, seconds=1.8), *lookalikes(100)]},
            ),
            Case("Redis is slow", False, lambda: {API: [redis(duration=3.0) for _ in range(50)]}),
        ),
    ),
    "DatabaseConnectionIssues": Expected(
        "critical",
        window=300,
        frequency=60,
        cases=(
            Case("lost in 7 slices", True, lambda: {API: lost("Postgres", 7)}),
            Case("lost as 8 slices change", True, lambda: {API: lost_between("Postgres", 4)}),
            Case("lost in 6 slices, twice each", False, lambda: {API: lost("Postgres", 6, each=2)}),
            Case(
                "waited for in 7 slices",
                True,
                lambda: {WORKER: lost("Postgres", 7, message="Server lost, trying again")},
            ),
            Case("broken under queries in 7 slices", True, lambda: {API: broken(7)}),
            Case("Redis is lost", False, lambda: {API: lost("Redis", 20)}),
            Case(
                "other messages about Postgres",
                False,
                lambda: {API: lost("Postgres", 20, message="Left")},
            ),
            Case("queries fail", False, lambda: {API: broken(20, raised="UndefinedTableError")}),
        ),
    ),
}
