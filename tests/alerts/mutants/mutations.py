"""The mutants: the alerts with one thing changed, which a test has to notice.

Annotations are not changed, so that no test fails because of a text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from alerts import burn, rules
from alerts.model import MATRIX, SLOS, Alert, Matrix, Minutes
from alerts.slos import Slos

OTHERS = {">": [">=", "<"], ">=": [">", "<"], "<": ["<=", ">"], "<=": ["<", ">"], "==": [">", "<"]}
DURATION = re.compile(r"\d+[smhd]")
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """An alert with one thing changed; `change` is empty for the alert as it is.

    `groups` are the rule groups of its name that Prometheus evaluates, and `file` the name of their
    file; a unit test that asks for what has a `mark` concerns it too. `alert` is the entry that
    Logfire evaluates, if the change is there. Neither: the model refuses the change.
    """

    name: str
    change: str
    file: str = ""
    groups: Sequence[rules.Group] = ()
    mark: str = ""
    alert: Alert | None = None


def mutants() -> Iterator[Mutant]:
    """Yield every alert as it is, and every change of it."""
    yield from of_matrix(yaml.safe_load(MATRIX.read_text()))
    yield from of_slos(yaml.safe_load(SLOS.read_text()))


def of_matrix(raw: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the mutants of the matrix."""
    shipped = Matrix.model_validate(raw)
    for name in {alert.name: None for alert in shipped.alerts}:
        yield from prometheus(name, "", shipped, shipped)
    for index, entry in enumerate(raw["alerts"]):
        name = entry["name"]
        for path, value, new in changes(entry):
            change = f"{entry['severity']}, {said(path)}: {value} -> {new}"
            try:
                changed = Matrix.model_validate(replaced(raw, ("alerts", index, *path), new))
            except ValidationError:
                yield Mutant(name, change)
                continue
            if path[0] != "logfire":
                yield from prometheus(name, change, changed, shipped)
            if path[0] != "prometheus" and changed.alerts[index].logfire:
                yield Mutant(name, change, alert=changed.alerts[index])


def prometheus(name: str, change: str, changed: Matrix, shipped: Matrix) -> Iterator[Mutant]:
    """Yield a mutant with the rules of one name, if there are any."""
    pairs = [
        (new, old)
        for new, old in zip(changed.alerts, shipped.alerts, strict=True)
        if old.name == name and new.prometheus and old.prometheus
    ]
    made = [
        rules.rule(new, new.prometheus, shipped.links)
        | {"annotations": rules.rule(old, old.prometheus, shipped.links)["annotations"]}
        for new, old in pairs
        if new.prometheus and old.prometheus
    ]
    if pairs:
        pillar = pairs[0][1].pillar
        yield Mutant(name, change, pillar, [{"name": pillar, "rules": made}])


def of_slos(raw: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the mutants of the service levels; shared settings are changed for the first one."""
    shipped = Slos.model_validate(raw)
    links = Matrix.model_validate(yaml.safe_load(MATRIX.read_text())).links
    groups = burn.groups(shipped, links)
    marks = [f'slo="{slo.slo}"' for slo in shipped.slos]
    for slo, group, mark in zip(shipped.slos, groups, marks, strict=True):
        yield Mutant(slo.name, "", "slo", [group], mark)
    for path, value, new in changes(raw):
        index = int(path[1]) if path[0] == "slos" else 0
        name, change = shipped.slos[index].name, f"{said(path)}: {value} -> {new}"
        changed = burn.groups(Slos.model_validate(replaced(raw, path, new)), links)[index]
        keep_annotations(changed, groups[index])
        yield Mutant(name, change, "slo", [changed], marks[index])
    for change, group in turned(groups[0]):
        yield Mutant(shipped.slos[0].name, change, "slo", [group], marks[0])


def keep_annotations(changed: rules.Group, shipped: rules.Group) -> None:
    """Give the alerts of a changed group the annotations of the shipped one's."""
    alerts = ([rule for rule in group["rules"] if "alert" in rule] for group in (changed, shipped))
    for new, old in zip(*alerts, strict=True):
        new["annotations"] = old["annotations"]


def turned(group: rules.Group) -> Iterator[tuple[str, rules.Group]]:
    """Yield a group with one comparison of an alert reversed."""
    for index, rule in enumerate(group["rules"]):
        for found in re.finditer(r" >=? ", rule["expr"]) if "alert" in rule else ():
            start, end = found.span()
            expr = f"{rule['expr'][:start]} < {rule['expr'][end:]}"
            after = " ".join(rule["expr"][end:].split()[:3])
            change = f"{rule['labels']['severity']}, comparison before {after} reversed"
            yield change, replaced(group, ("rules", index, "expr"), expr)


def changes(raw: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Yield path, value and new value of every change to what was read from YAML."""
    items = raw.items() if isinstance(raw, Mapping) else enumerate(raw)
    for key, value in items:
        where: Path = (*path, key)
        if isinstance(value, Mapping | list):
            yield from changes(value, where)
            continue
        yield from ((where, value, new) for new in alternatives(where, value))


def alternatives(path: Path, value: Any) -> list[Any]:
    """Return what a value is changed to; nothing for texts and queries."""
    key = path[-1]
    if key == "severity":
        return ["warning" if value == "critical" else "critical"]
    if key == "compare":
        return OTHERS[value]
    if key == "objective":
        return [round(1 - (1 - value) * by, 10) for by in (0.9, 1.1)]
    if isinstance(value, int) and 3 <= value <= 10:  # a whole number cannot change by a tenth
        return [value - 1, value + 1]
    if isinstance(value, int | float):
        return [round(value * 0.9, 10), round(value * 1.1, 10)] if value else [-1, 1]
    if path[0] == "logfire" and key in ("window", "frequency"):
        return neighbours(value)
    if DURATION.fullmatch(value):
        seconds = rules.seconds(value)
        return [f"{max(seconds // 2, 1)}s", f"{seconds * 2}s"] if seconds else ["60s"]
    return fewer(value) if "numbers" in path else []


def neighbours(value: str) -> list[str]:
    """Return the next shorter and the next longer window that Logfire offers."""
    every = list(get_args(Minutes))
    index = every.index(value)
    return [every[at] for at in (index - 1, index + 1) if 0 <= at < len(every)]


def fewer(value: str) -> list[str]:
    """Return the regular expression once without each of its alternatives."""
    parts = value.split("|")
    return ["|".join(parts[:at] + parts[at + 1 :]) or "nobody" for at in range(len(parts))]


def replaced(raw: dict[str, Any], path: Path, new: Any) -> dict[str, Any]:
    """Return a copy with another value at a path."""
    copy: Any = deepcopy(raw)
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return dict(copy)


def said(path: Path) -> str:
    """Return a path with dots."""
    return ".".join(map(str, path))
