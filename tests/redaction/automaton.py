"""Decides exactly whether two regular expressions can match the same text.

Both become automata over the letters of ASCII and one for all others; the search walks through
pairs of their states. `\\b` counts as true everywhere: it may find too much, and never too little.
"""

import string
from dataclasses import dataclass, field
from re import _parser as parser
from typing import Any

LETTERS = frozenset(map(chr, range(128))) | {"ä"}
CATEGORIES = {
    "CATEGORY_DIGIT": frozenset(string.digits),
    "CATEGORY_SPACE": frozenset("\t\n\f\r "),  # Go's \s
    "CATEGORY_NOT_SPACE": LETTERS - frozenset("\t\n\f\r "),
}


@dataclass
class Automaton:
    """States by number; edges to others are free (epsilon) or consume a letter."""

    free: list[list[tuple[int, bool]]] = field(default_factory=list)
    by_letter: list[list[tuple[frozenset[str], int]]] = field(default_factory=list)

    def state(self) -> int:
        self.free.append([])
        self.by_letter.append([])
        return len(self.free) - 1

    def go(self, source: int, target: int, *, at_end: bool = False) -> None:
        self.free[source].append((target, at_end))

    def read(self, source: int, letters: frozenset[str]) -> int:
        target = self.state()
        self.by_letter[source].append((letters, target))
        return target

    def add(self, items: Any, at: int) -> int:
        """Append a parsed expression to the state `at`; returns its end state."""
        for name, value in items:
            at = getattr(self, f"_{str(name).lower()}", self._letter)(at, str(name), value)
        return at

    def _letter(self, at: int, name: str, value: Any) -> int:
        return self.read(at, letters_of(name, value))

    def _at(self, at: int, name: str, value: Any) -> int:
        after = self.state()
        self.go(at, after, at_end=str(value) == "AT_END")
        return after

    def _subpattern(self, at: int, name: str, value: Any) -> int:
        return self.add(value[3], at)

    def _branch(self, at: int, name: str, value: Any) -> int:
        after = self.state()
        for each in value[1]:
            self.go(self.add(each, at), after)
        return after

    def _max_repeat(self, at: int, name: str, value: Any) -> int:
        least, most, items = value
        for _ in range(least):
            at = self.add(items, at)
        if most is parser.MAXREPEAT:
            loop = self.state()
            self.go(at, loop)
            self.go(self.add(items, loop), loop)
            return loop
        after = self.state()
        for _ in range(most - least):
            self.go(at, after)
            at = self.add(items, at)
        self.go(at, after)
        return after

    _min_repeat = _max_repeat


def letters_of(name: str, value: Any) -> frozenset[str]:
    """Return the letters that one element of an expression matches."""
    match name:
        case "LITERAL":
            return frozenset(chr(value))
        case "RANGE":
            return frozenset(map(chr, range(value[0], value[1] + 1)))
        case "CATEGORY":
            return CATEGORIES[str(value)]
        case "ANY":
            return LETTERS
        case "NOT_LITERAL":
            return LETTERS - {chr(value)}
    negate = str(value[0][0]) == "NEGATE"
    found: frozenset[str] = frozenset().union(*(letters_of(str(n), v) for n, v in value[negate:]))
    return LETTERS - found if negate else found


def common(shape: str, pattern: str) -> str | None:
    """Return a text that fully matches `shape` and contains a match of `pattern`, or None."""
    whole, part = Automaton(), Automaton()
    accepts = whole.add(parser.parse(shape), whole.state())
    start = part.state()
    if not pattern.startswith("^"):
        part.by_letter[start].append((LETTERS, start))
    found = part.add(parser.parse(pattern), start)
    part.by_letter[found].append((LETTERS, found))
    seen: dict[tuple[int, int, bool], str] = {(0, start, False): ""}
    todo = list(seen)
    while todo:
        here = todo.pop()
        if here[0] == accepts and here[1] == found:
            return seen[here]
        for place, letter in following(whole, part, here):
            if place not in seen:
                seen[place] = seen[here] + letter
                todo.append(place)
    return None


def following(
    whole: Automaton, part: Automaton, here: tuple[int, int, bool]
) -> list[tuple[tuple[int, int, bool], str]]:
    """Return the next pairs of states, each with its letter."""
    one, other, ended = here
    steps = [((to, other, ended or end), "") for to, end in whole.free[one]]
    steps += [((one, to, ended or end), "") for to, end in part.free[other]]
    if not ended:
        for mine, to in whole.by_letter[one]:
            for theirs, there in part.by_letter[other]:
                if both := mine & theirs:
                    steps.append(((to, there, False), min(both)))
    return steps
