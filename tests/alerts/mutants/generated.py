"""The mutants of the rule files, as Prometheus reads them: each number, each window, each `for`.

Annotations are not changed, so that no test fails because of a text.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.alerts.mutants.expressions import alternatives, times, tokens
from tests.alerts.mutants.mutant import Mutant, Place, Rule


def shipped(path: Path) -> dict[Place, Rule]:
    """Return the rules of a file as they are."""
    groups = yaml.load(path.read_text(), yaml.CSafeLoader)["groups"]
    return {
        (group, index): rule
        for group, content in enumerate(groups)
        for index, rule in enumerate(content["rules"])
    }


def of_file(path: Path) -> Iterator[Mutant]:
    """Yield every change of a rule of a file."""
    text = path.read_text()
    nodes = yaml.compose(text, yaml.CSafeLoader)
    for place, rule in shipped(path).items():
        node = child(nodes, "groups", place[0], "rules", place[1])
        yield from of_rule(path, text, place, rule, node)


def of_rule(path: Path, text: str, place: Place, rule: Rule, node: yaml.Node) -> Iterator[Mutant]:
    """Yield every change of a rule."""
    name, severity = named(rule), rule.get("labels", {}).get("severity", "")
    about = f"{severity}, " if severity else ""
    expr = child(node, "expr")
    start, end = expr.start_mark.index, expr.end_mark.index
    # The file folds lines, so a number is found there by its order and not by its place.
    written = list(tokens(text[start:end]))
    for token, there in zip(tokens(rule["expr"]), written, strict=True):
        line = text.count("\n", 0, start + there.start) + 1
        near = f"{rule['expr'][max(token.start - 30, 0) : token.start]}<{token.text}>"
        for new in alternatives(token.text):
            changed = rule | {"expr": token.replaced_in(rule["expr"], new)}
            yield Mutant(name, f"{about}{near} -> {new}", path, {place: changed}, line=line)
    if "for" in rule:
        new, line = times(rule["for"], 2), child(node, "for").start_mark.line + 1
        change = f"{about}for: {rule['for']} -> {new}"
        yield Mutant(name, change, path, {place: rule | {"for": new}}, line=line)


def named(rule: Rule) -> str:
    """Return the name of an alert or of a recorded series."""
    return str(rule.get("alert") or rule["record"])


def child(node: Any, *path: str | int) -> Any:
    """Return the node at a path of keys and indexes."""
    for key in path:
        if isinstance(key, int):
            node = node.value[key]
        else:
            node = next(value for name, value in node.value if name.value == key)
    return node
