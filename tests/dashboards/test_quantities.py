"""A panel with an alert shows what the alert compares, in the alert's own unit tests.

At each time at which one of them fires, promtool evaluates both: the worst value that the panel
shows is the worst that the rule compares.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from stack.paths import PROMETHEUS
from tests.dashboards.reading import (
    Part,
    alerts_of,
    asked,
    before_comparison,
    compared,
    drawn,
    each_panel,
)
from tests.support.promtool import promtool

UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.test.yml"))
RULES: dict[tuple[str, str], str] = {
    (rule["alert"], rule["labels"]["severity"]): " ".join(rule["expr"].split())
    for path in (PROMETHEUS / "rules" / "generated").glob("*.yml")
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
TRENDS = PROMETHEUS / "rules" / "trends.yml"
EXACT, EXTRAPOLATED = 1e-9, 0.2  # increase() reaches to the edges of its window
Case = tuple[str, Part, Part]
CASES: list[Case] = [
    (place, panel, alert)
    for place, panel in each_panel()
    for alert in alerts_of(panel)
    if "prometheus" in alert
]


def value_of(alert: Part) -> str:
    """Return the expression that a rule compares; of an SLO's alert, the burn rate."""
    if slo := alert.get("slo"):
        ratio = f'slo:sli_error:ratio_rate{alert["long"]}{{slo="{slo["slo"]}"}}'
        return f"({ratio} / {1 - slo['objective']:.10g})"
    return before_comparison(RULES[alert["name"], alert["severity"]])


def same(panel: Part, alert: Part) -> str:
    """Return a query that is 1 if panel and alert agree on the worst value."""
    worst = "min" if compared(alert)[0] in {"<", "<="} else "max"
    window = alert["prometheus"].get("window", "5m")
    exprs = [asked(target["expr"], window) for target in drawn(panel)]
    if "slo" in alert:
        exprs = exprs[:1]  # the second is the short window, which has to be above the threshold too
    numbered = [
        f'label_replace({worst}({expr}), "query", "{number}", "", "")'
        for number, expr in enumerate(exprs)
    ]
    shown, rule = f"{worst}({' or '.join(numbered)})", f"{worst}({value_of(alert)})"
    near = EXTRAPOLATED if "increase(" in shown else EXACT
    return f"abs({shown} - {rule}) <= bool {near} * abs({rule})"


def firing(test: Part, alert: Part) -> list[Any]:
    """Return the times at which a unit test expects an alert to fire."""
    return [
        one["eval_time"]
        for one in test.get("alert_rule_test", [])
        if one["alertname"] == alert["name"]
        for found in one.get("exp_alerts", [])
        if found["exp_labels"]["severity"] == alert["severity"]
    ]


def checks(test: Part) -> dict[str, Part]:
    """Return what a unit test's series have to show, by the panel and alert that it is about."""
    agrees = {"exp_samples": [{"labels": "{}", "value": 1}]}
    return {
        named(case): {"expr": same(*case[1:]), "eval_time": time, **agrees}
        for case in CASES
        for time in firing(test, case[2])[:1]
    }


def named(case: Case) -> str:
    place, _, alert = case
    return f"{place}, {alert['name']} {alert['severity']} {alert.get('long', '')}"


def written(folder: Path) -> dict[Path, set[str]]:
    """Write a test file for each unit test file that makes some of the alerts fire.

    Returns what each is about.
    """
    made: dict[Path, set[str]] = {}
    for path in UNIT_TESTS:
        unit = yaml.safe_load(path.read_text())
        found = [(test, checks(test)) for test in unit["tests"]]
        about = {name for _, asks in found for name in asks}
        if about:
            rules = {str((path.parent / rule).resolve()) for rule in unit["rule_files"]}
            tests = [
                kept(test) | {"promql_expr_test": [*asks.values()]} for test, asks in found if asks
            ]
            file = unit | {"rule_files": [*rules | {str(TRENDS)}], "tests": tests}
            (folder / path.name).write_text(yaml.safe_dump(file))
            made[folder / path.name] = about
    return made


def kept(test: Part) -> Part:
    return {key: test[key] for key in ("name", "interval", "input_series")}


def test_the_worst_value_of_a_panel_is_what_its_alert_compares(tmp_path: Path) -> None:
    made = written(tmp_path)
    assert set().union(*made.values()) == set(map(named, CASES))
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda path: promtool("test", "rules", path), made):
            assert done.returncode == 0, done.stdout + done.stderr
