"""Compares received items with what a test expects, and describes the nearest in a failure."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from otelcol_runner.polling import NotSeenError, poll_until

Item = TypeVar("Item")
SHOWN = 3  # nearest items in a failure
RANKED = 1000  # newest items among which these are sought
LENGTH = 200  # characters of a value that are compared for likeness
ABSENT = object()


def expected(
    one: str,
    items: Callable[[], Sequence[Item]],
    wanted: Mapping[str, object],
    *,
    source: str,
    describe: Callable[[], str],
    timeout: float,
) -> Item:
    """Wait for the first item with all that is wanted.

    Args:
        one: what an item is called ("span").
        items: returns what was received so far.
        wanted: by attribute of the item: its value, a pattern that its text has to match whole, or
            a mapping whose entries it has to contain.
        source: where it should arrive, for the error.
        describe: says what did arrive, for the error where no such item did.
        timeout: seconds.

    Raises:
        NotSeenError: it did not arrive in time; says in what the nearest items differ.
    """

    def check() -> tuple[Item] | None:
        return next(((item,) for item in items() if _fits(item, wanted)), None)

    try:
        return poll_until(check, one, timeout=timeout)[0]
    except NotSeenError:
        asked = ", ".join(f"{name} {_shown(value)}" for name, value in _flat(wanted))
        what = f"{one} with {asked}" if asked else f"any {one}"
        there = _nearest(one, items(), wanted) or describe()
        raise NotSeenError(f"{source}: {what}: not seen within {timeout:g} s\n{there}") from None


def _nearest(one: str, items: Sequence[object], wanted: Mapping[str, object]) -> str:
    """Return the items that differ least, each once, with the differences; "" without items."""
    ranked = sorted(items[-RANKED:], key=lambda item: _distance(item, wanted))
    texts = {
        f"  {item}": [f"      {difference}" for difference in _differences(item, wanted)]
        for item in ranked
    }
    parts = [line for item, lines in list(texts.items())[:SHOWN] for line in (item, *lines)]
    head = f"nearest of {len(items)} received ({one}):"
    return "\n".join([head, *parts]) if parts else ""


def _distance(item: object, wanted: Mapping[str, object]) -> tuple[int, float]:
    """Return how many values differ, and that number less the likeness of those that are there."""
    both = [(found, value) for _, found, value in _compared(item, wanted)]
    unlike = [(found, value) for found, value in both if not _agrees(found, value)]
    there = ((_text(found), _text(value)) for found, value in unlike if found is not ABSENT)
    alike = sum(difflib.SequenceMatcher(None, *texts).ratio() for texts in there)
    return len(unlike), len(unlike) - alike


def _fits(item: object, wanted: Mapping[str, object]) -> bool:
    return all(_agrees(found, value) for _, found, value in _compared(item, wanted))


def _differences(item: object, wanted: Mapping[str, object]) -> Iterator[str]:
    for name, found, value in _compared(item, wanted):
        if found is ABSENT:
            yield f"{name} is missing, expected {_shown(value)}"
        elif not _agrees(found, value):
            yield f"{name} is {_shown(found)}, expected {_shown(value)}"


def _compared(item: object, wanted: Mapping[str, object]) -> Iterator[tuple[str, object, object]]:
    """Yield, for each wanted value, its name, what the item has, and the value."""
    for name, value in wanted.items():
        found = getattr(item, name)
        if not isinstance(value, Mapping) or not isinstance(found, Mapping):
            yield name, found, value
            continue
        for key, inner in value.items():
            yield f"{name}[{key!r}]", found.get(key, ABSENT), inner


def _flat(wanted: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in wanted.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}[{key!r}]", inner) for key, inner in value.items())
        else:
            yield name, value


def _agrees(found: object, value: object) -> bool:
    if isinstance(value, re.Pattern):
        return isinstance(found, str) and value.fullmatch(found) is not None
    return found == value


def _shown(value: object) -> str:
    return f"text matching {value.pattern!r}" if isinstance(value, re.Pattern) else repr(value)


def _text(value: object) -> str:
    return str(value.pattern if isinstance(value, re.Pattern) else value)[:LENGTH]


def given(**wanted: object) -> dict[str, object]:
    """Return what a test named, without what it left out (None)."""
    return {name: value for name, value in wanted.items() if value is not None}


def fields_of(kind: type, names: Iterable[str]) -> None:
    """Raise `TypeError` for a name that is no field of the dataclass, and name those it has."""
    known = set(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    for name in names:
        if name not in known:
            raise TypeError(
                f"a {kind.__name__.lower()} has no {name}: it has {', '.join(sorted(known))}"
            )
