"""Copies of rules under other names, so that one run of promtool tests many mutants.

What reads a changed series is copied too. Labels decide what reads what: `x{slo="a"}` is not a
record `x` whose label `slo` is "b", and `ALERTS{alertname="X", severity="warning"}` no critical X.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.alerts.mutants.generated import named
from tests.alerts.mutants.mutant import Place, Rule

Rules = Mapping[Place, Rule]


class Copies:
    """The rules that a change affects, and their names in a copy."""

    def __init__(self, shipped: Rules, changed: Rules, number: int, whole: bool = False) -> None:
        """Copy changed rules; with `whole` nothing else is left of their group."""
        self._suffix = f"_mutant{number}"
        if whole:
            groups = {group for group, _ in changed}
            shipped = {place: rule for place, rule in shipped.items() if place[0] not in groups}
        self._shipped = shipped
        self._affected = affected(shipped, changed)
        names = {rule["alert"] for rule in self._affected.values() if "alert" in rule}
        # promtool compares alerts of one name, whatever their severity.
        same = {place: rule for place, rule in shipped.items() if rule.get("alert") in names}
        self.rules: Rules = {**same, **self._affected}

    def concerns(self, case: Any) -> bool:
        """Return whether the change affects a case; raises `ValueError` if only a part of it."""
        if not any(reads(case, rule) for rule in self._affected.values()):
            return False
        others = {place: rule for place, rule in self._shipped.items() if place not in self.rules}
        if mixed := {named(rule) for rule in others.values() if reads(case, rule)}:
            raise ValueError(f"name the labels of {', '.join(sorted(mixed))} in: {case}")
        return True

    def needed(self, cases: Any) -> list[Rule]:
        """Return the copies that cases depend on."""
        return [self.renamed(rule) for rule in upstream(cases, self.rules)]

    def renamed(self, value: Any) -> Any:
        """Return a rule or a case with the names of the copy."""
        if isinstance(value, Mapping):
            return {key: self.renamed(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.renamed(each) for each in value]
        return self._marked(value) if isinstance(value, str) else value

    def _marked(self, text: str) -> str:
        ends = {
            end
            for rule in self.rules.values()
            for end, labels in occurrences(text, named(rule))
            if selects(labels, rule)
        }
        for end in sorted(ends, reverse=True):
            text = text[:end] + self._suffix + text[end:]
        return text


def numbered(text: str) -> set[int]:
    """Return the numbers of the copies that a text names."""
    return set(map(int, re.findall(r"_mutant(\d+)\b", text)))


def affected(shipped: Rules, changed: Rules) -> Rules:
    """Return the changed rules and those of their groups that read them, directly or not."""
    found = dict(changed)
    groups = {group for group, _ in changed}
    near = {place: rule for place, rule in shipped.items() if place[0] in groups}
    while more := {
        place: rule
        for place, rule in near.items()
        if place not in found and any(reads(rule, other) for other in found.values())
    }:
        found |= more
    return found


def upstream(reader: Any, rules: Rules) -> list[Rule]:
    """Return the rules that are read, directly or through others, in their order."""
    found: dict[Place, Rule] = {}
    readers = [reader]
    while readers:
        reader = readers.pop()
        more = {p: rule for p, rule in rules.items() if p not in found and reads(reader, rule)}
        found |= more
        readers += more.values()
    return [rule for _, rule in sorted(found.items())]


def reads(reader: Any, rule: Rule) -> bool:
    """Return whether a rule or a case reads what a rule makes."""
    name = named(rule)
    return any(
        selects(labels, rule) for text in texts(reader) for _, labels in occurrences(text, name)
    )


def texts(value: Any) -> Iterator[str]:
    """Yield the texts in a value, without the name that a rule gives to what it makes."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from () if key in ("record", "alert") else texts(each)
    elif isinstance(value, Sequence):
        yield from (text for each in value for text in texts(each))


def occurrences(text: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield where a name ends, and the labels that are asked for with it."""
    if name in text:
        for found in re.finditer(rf"(?<![\w:]){re.escape(name)}(?![\w:])", text):
            end = found.end()
            inside = text.rfind("{", 0, end) > text.rfind("}", 0, end)
            start = text.rfind("{", 0, end) if inside else end
            asked = re.match(r"\{[^}]*\}", text[start:])
            yield end, dict(re.findall(r'(\w+)="([^"]*)"', asked[0] if asked else ""))


def selects(labels: Mapping[str, str], rule: Rule) -> bool:
    """Return whether the labels that are asked for exclude no label of a rule."""
    given: Mapping[str, str] = rule.get("labels", {})
    return all(given.get(key, value) == value for key, value in labels.items())
