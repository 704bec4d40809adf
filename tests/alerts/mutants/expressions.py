"""What is changed in a PromQL expression: every number and every duration, times ten and by ten."""

import re
from collections.abc import Iterator
from typing import NamedTuple

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"(\d+)(ms|[smhd])")
# A name's digits are no numbers; of quoted texts only those are changed that are a number (le="2").
TOKEN = re.compile(
    r""""(?P<quoted>\d+(?:[.]\d+)?)"|"[^"]*"|[A-Za-z_:][\w:]*"""
    r"""|(?P<duration>\b\d+(?:ms|[smhd])\b)|(?P<number>\b\d+(?:[.]\d+)?\b)"""
)


class Token(NamedTuple):
    """A number or a duration, and where it is."""

    start: int
    end: int
    text: str

    def replaced_in(self, expr: str, new: str) -> str:
        """Return the expression with another text in its place."""
        return expr[: self.start] + new + expr[self.end :]


def tokens(expr: str) -> Iterator[Token]:
    """Yield an expression's numbers and durations."""
    for found in TOKEN.finditer(expr):
        if kind := found.lastgroup:
            yield Token(*found.span(kind), found[kind])


def alternatives(text: str) -> list[str]:
    """Return what a number or a duration is changed to; zero, which no factor changes, to one."""
    if DURATION.fullmatch(text):
        return [times(text, by) for by in (0.1, 10)]
    value = float(text)
    return [f"{value * by:.12g}" for by in (0.1, 10)] if value else ["1"]


def times(duration: str, by: float) -> str:
    """Return a multiple of a duration, in seconds if it is whole ones."""
    parts = DURATION.fullmatch(duration)
    assert parts is not None, duration
    milliseconds = round(int(parts[1]) * SECONDS[parts[2]] * by * 1000)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{milliseconds}ms" if rest else f"{seconds}s"
