"""A value on the firing side of an alert has the alert's colour, one on the quiet side is green."""

import math
import re
from collections.abc import Iterator

import yaml

from stack.paths import PROMETHEUS
from tests.dashboards.display import shown
from tests.dashboards.reading import Part, alerts_of, compared, each_panel

COLOURS = {"critical": "red", "warning": "orange"}
RECORDED: dict[str, str] = {
    rule["record"]: rule["expr"]
    for path in (PROMETHEUS / "rules").rglob("*.yml")
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "record" in rule
}
CONSTANT = re.compile(r"vector\([\d.]+\)")
# What Grafana writes for a value: the unit's scale is its choice, not the title's.
TEXTS: list[tuple[str, float, str]] = [
    ("Critical alerts", 3, "3 alerts"),
    ("Error rate (%)", 0.0512, "5.12%"),
    ("P95 latency (s)", 2.5, "2.50 s"),
    ("P95 request latency (s)", 0.045, "45 ms"),
    ("Disk utilization (%)", 0.02, "2%"),
    ("Memory usage (MB)", 2048, "2 GiB"),
    ("Network traffic (bytes/s)", 2e6, "2 MB/s"),
    ("Request rate (req/s)", 45, "45 req/s"),
    ("Queue growth (tasks/s)", -0.5, "-0.500 tasks/s"),
    ("Deadlocks", 3, "3 deadlocks"),
    ("Time until queue full (s)", 5400, "1.50 hours"),
    ("Burn rate of availability over 1h", 14.4, "14.4 x"),
    ("Time until disk full", 0.2, "0.200 day"),
    ("Request growth per week (%)", -0.1, "-10%"),
    ("Objective (%)", 0.999, "99.9%"),
]


def sides(compare: str, threshold: float) -> tuple[float, float]:
    """Return the nearest values for which an alert fires and is quiet.

    A step of Grafana begins with its value, so of an alert with ">" the threshold itself is
    coloured, although it is quiet: the value before it is taken.
    """
    above, below = math.nextafter(threshold, math.inf), math.nextafter(threshold, -math.inf)
    return {
        ">": (above, below),
        ">=": (threshold, below),
        "<": (below, threshold),
        "<=": (threshold, above),
    }[compare]


def with_alert() -> Iterator[tuple[str, Part, Part]]:
    for place, panel in each_panel():
        for alert in alerts_of(panel):
            yield place, panel, alert


def test_just_firing_has_the_alerts_colour_and_just_quiet_is_green() -> None:
    cases = list(with_alert())
    assert len(cases) > 30
    firing = shown((panel, sides(*compared(alert))[0]) for _, panel, alert in cases)
    quietest = {place: quiet(panel) for place, panel, _ in cases}
    green = shown((panel, quietest[place]) for place, panel, _ in cases)
    for (place, _, alert), found, calm in zip(cases, firing, green, strict=True):
        assert found.color == COLOURS[alert["severity"]], (place, alert["name"], found)
        assert calm.color == "green", (place, alert["name"], calm)


def quiet(panel: Part) -> float:
    """Return the value next to firing for which none of a panel's alerts fires."""
    (compare,) = {compared(alert)[0] for alert in alerts_of(panel)}
    values = [sides(*compared(alert))[1] for alert in alerts_of(panel)]
    return max(values) if compare in {"<", "<="} else min(values)


def test_a_number_has_a_threshold_unless_it_is_a_constant() -> None:
    numbers = [(place, panel) for place, panel in each_panel() if panel["type"] == "stat"]
    assert numbers
    for place, panel in numbers:
        exprs = [RECORDED.get(target["expr"], target["expr"]) for target in panel["targets"]]
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert (len(steps) == 1) == all(map(CONSTANT.fullmatch, exprs)), place


def test_numbers_without_an_alert_have_the_colour_of_what_they_mean() -> None:
    values: list[tuple[str, float, str]] = [
        ("Critical alerts", 0, "green"),
        ("Critical alerts", 1, "red"),
        ("Critical alerts", 3, "red"),
        ("Warning alerts", 0, "green"),
        ("Warning alerts", 1, "orange"),
        ("Error budget remaining (%)", 0.01, "green"),
        ("Error budget remaining (%)", -0.01, "red"),
        ("Time until disk full", 365, "green"),
        ("Time until disk full", 6.9, "orange"),
        ("Time until disk full", 0.2, "red"),
    ]
    asks = [(panel, case) for case in values for panel in titled(case[0])]
    found = shown((panel, value) for panel, (_, value, _) in asks)
    for (_, case), one in zip(asks, found, strict=True):
        assert one.color == case[2], (case, one)


def titled(title: str) -> list[Part]:
    found = [panel for _, panel in each_panel() if panel["title"] == title]
    assert found, title
    return found


def test_texts_have_the_unit() -> None:
    asks = [(titled(title)[0], value) for title, value, _ in TEXTS]
    found = [one.text for one in shown(asks)]
    assert found == [text for _, _, text in TEXTS]


def test_a_panel_without_data_shows_its_sentence() -> None:
    every = [panel for _, panel in each_panel()]
    found = [one.text for one in shown((panel, None) for panel in every)]
    assert found == [panel["fieldConfig"]["defaults"]["noValue"] for panel in every]
