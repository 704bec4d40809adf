"""What the stage does to one text, by its own expressions: RE2's rules are those of Go."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

import re2

from generate import catalogue
from generate.catalogue import Catalogue
from generate.rows import MASK
from generate.scrub import stage

OPTIONS = re2.Options()
OPTIONS.encoding = re2.Options.Encoding.UTF8
OPTIONS.log_errors = False
OPTIONS.max_mem = 256 << 20
Change = tuple[re2._Regexp, Callable[[re2._Match], str]]


@functools.cache
def compiled(pattern: str) -> re2._Regexp:
    return re2.compile(pattern, OPTIONS)


@dataclass(frozen=True)
class Rules:
    """The expressions of a catalogue, compiled."""

    finds: tuple[re2._Regexp, ...]
    changes: tuple[Change, ...]
    blocked: tuple[re2._Regexp, ...]

    def mask(self, text: str) -> str:
        """Return the text as it leaves the stage, as the value of an attribute of another key."""
        if self.found(text):
            text = self.cut(text)
        return text if unread(text) else self.block(text)

    def found(self, text: str) -> bool:
        """Tell whether `redaction/find` marks the text."""
        return any(find.search(text) for find in self.finds)

    def cut(self, text: str) -> str:
        """Return the text after `transform/cut`, also where no search marks it."""
        for pattern, by in self.changes:
            text = pattern.sub(by, text)
        return text

    def block(self, text: str) -> str:
        """Return the text with tokens masked, whatever its shape."""
        for pattern in self.blocked:
            text = pattern.sub(MASK, text)
        return text


def rules_of(rows: Catalogue) -> Rules:
    """Compile a catalogue; expressions that another one shares are compiled once."""
    return Rules(
        tuple(map(compiled, rows.finds())),
        tuple((compiled(each.pattern), filled(each.by)) for each in rows.changes()),
        tuple(map(compiled, rows.blocked())),
    )


@functools.cache
def shipped() -> Rules:
    return rules_of(catalogue.read())


def mask(text: str, rules: Rules | None = None) -> str:
    """Return the text as it leaves the shipped stage, or one with other rules."""
    return (rules or shipped()).mask(text)


def found(text: str) -> bool:
    """Tell whether `redaction/find` of the shipped stage marks the text."""
    return shipped().found(text)


@functools.cache
def shapes() -> tuple[re2._Regexp, ...]:
    values = stage()["processors"]["redaction"]["allowed_values"]
    return tuple(compiled(each.replace("$$", "$")) for each in values)


def unread(text: str) -> bool:
    """Tell whether `redaction` skips the text by its shape."""
    return any(shape.search(text) for shape in shapes())


def filled(by: str) -> Callable[[re2._Match], str]:
    """Return a function that fills Go's `${n}` with the groups of a match."""
    parts = re.findall(r"([^$]*)(?:\$\{(\d+)\})?", by)

    def fill(match: re2._Match) -> str:
        return "".join(text + ((match.group(int(n)) or "") if n else "") for text, n in parts)

    return fill
