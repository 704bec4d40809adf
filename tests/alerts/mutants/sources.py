"""The mutants of the sources, alerts/matrix.yaml and slos.yaml: what an editor could get wrong.

Annotations are not changed, so that no test fails because of a text.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from alerts import burn, rules
from alerts.generate import RULES, SLO
from alerts.model import MATRIX, SLOS, Matrix, Minutes
from alerts.slos import Slos
from tests.alerts.mutants.generated import named
from tests.alerts.mutants.mutant import Mutant, Place, Rule

OTHERS = {">": [">=", "<"], ">=": [">", "<"], "<": ["<=", ">"], "<=": ["<", ">"], "==": [">", "<"]}
DURATION = re.compile(r"\d+[smhd]")
Path = tuple[str | int, ...]


def mutants() -> Iterator[Mutant]:
    """Yield every change of an alert or a service level."""
    yield from of_matrix(yaml.safe_load(MATRIX.read_text()))
    yield from of_slos(yaml.safe_load(SLOS.read_text()))


def of_matrix(raw: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the mutants of the matrix."""
    shipped = rules.groups(Matrix.model_validate(raw))
    for index, entry in enumerate(raw["alerts"]):
        name = entry["name"]
        for path, value, new in changes(entry):
            change = f"{entry['severity']}, {said(path)}: {value} -> {new}"
            try:
                changed = Matrix.model_validate(replaced(raw, ("alerts", index, *path), new))
            except ValidationError:
                yield Mutant(name, change)
                continue
            pillar = entry["pillar"]
            if path[0] != "logfire" and pillar in shipped:
                made = differing(rules.groups(changed)[pillar], shipped[pillar], 0)
                if made:
                    yield Mutant(name, change, RULES / f"{pillar}.yml", made)
            if path[0] != "prometheus" and changed.alerts[index].logfire:
                yield Mutant(name, change, alert=changed.alerts[index])


def differing(changed: rules.Group, shipped: rules.Group, group: int) -> dict[Place, Rule]:
    """Return the changed rules of a group, with the annotations of the shipped ones."""
    pairs = enumerate(zip(changed["rules"], shipped["rules"], strict=True))
    made = {index: (new | kept(old), old) for index, (new, old) in pairs}
    return {(group, index): new for index, (new, old) in made.items() if new != old}


def kept(rule: Rule) -> Rule:
    """Return the annotations of a rule, if it is an alert."""
    return {"annotations": rule["annotations"]} if "alert" in rule else {}


def of_slos(raw: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the mutants of the service levels; shared settings are changed for the first one."""
    shipped = Slos.model_validate(raw)
    links = Matrix.model_validate(yaml.safe_load(MATRIX.read_text())).links
    groups = burn.groups(shipped, links)
    for path, value, new in changes(raw):
        index = int(path[1]) if path[0] == "slos" else 0
        name, change = shipped.slos[index].name, f"{said(path)}: {value} -> {new}"
        changed = burn.groups(Slos.model_validate(replaced(raw, path, new)), links)[index]
        keep_annotations(changed, groups[index])
        if [*map(named, changed["rules"])] == [*map(named, groups[index]["rules"])]:
            yield Mutant(name, change, RULES / SLO, differing(changed, groups[index], index))
        else:  # other windows are recorded
            made = {(index, place): rule for place, rule in enumerate(changed["rules"])}
            yield Mutant(name, change, RULES / SLO, made, whole=True)
    for change, group in turned(groups[0]):
        yield Mutant(shipped.slos[0].name, change, RULES / SLO, differing(group, groups[0], 0))


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
