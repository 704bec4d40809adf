"""Random texts that match a regular expression, also one of Go."""

import importlib
import random
import re
import string
import sys
from typing import Any

# Private, and the only way to a parsed expression that gives no warning.
parser: Any = importlib.import_module("re._parser")
PRINTABLE = "".join(map(chr, range(32, 127)))
WORD = string.ascii_letters + string.digits + "_"
CATEGORIES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_NOT_DIGIT": PRINTABLE.translate({ord(c): None for c in string.digits}),
    "CATEGORY_SPACE": " \t\n",
    "CATEGORY_NOT_SPACE": PRINTABLE.replace(" ", ""),
    "CATEGORY_WORD": WORD,
    "CATEGORY_NOT_WORD": PRINTABLE.translate({ord(c): None for c in WORD}),
}
# What Python writes in another way.
GO = {
    r"\z": r"\Z", "[:alnum:]": "A-Za-z0-9", "[:alpha:]": "A-Za-z", "[:digit:]": "0-9",
    "[:xdigit:]": "A-Fa-f0-9", "[:upper:]": "A-Z", "[:lower:]": "a-z",
}  # fmt: skip
FLAG = re.compile(r"\(\?(-?[ims]+)\)")
PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|" + FLAG.pattern, re.DOTALL)
# Items of one character, and those that match without one.
ONE = {"LITERAL", "NOT_LITERAL", "RANGE", "CATEGORY", "ANY", "IN"}
EMPTY = {"AT", "ASSERT", "ASSERT_NOT"}


def python(pattern: str) -> str:
    """Rewrite an expression of Go: Python takes `(?i)` in the middle only as `(?i:...)`."""
    for go, own in GO.items():
        pattern = pattern.replace(go, own)
    return _scoped(pattern)


def _scoped(pattern: str) -> str:
    """Turn each `(?i)` into `(?i:`, closed where the group or the branch around it ends."""
    made, at = "", 0
    open_flags: list[list[str]] = [[]]
    while at < len(pattern):
        piece = PIECE.match(pattern, at)
        text = piece[0] if piece else pattern[at]
        at += len(text)
        if flag := FLAG.fullmatch(text):
            text = f"(?{flag[1]}:"
            open_flags[-1].append(text)
        elif text == "(":
            open_flags.append([])
        elif text == ")":
            text = ")" * len(open_flags.pop()) + ")"
        elif text == "|":
            # In Go a flag holds for the next branches too.
            text = ")" * len(open_flags[-1]) + "|" + "".join(open_flags[-1])
        made += text
    return made + ")" * len(open_flags.pop())


def drawn(pattern: str, seed: str | int, *, more: int = 20, tries: int = 200) -> str:
    """Return a random text that matches the whole of `pattern`, the same for the same seed.

    An open repetition has up to `more` rounds over its least. With `(?i)` letters of a range come
    in either case; single ones stay as written, as vendors write them.
    """
    return matched(pattern, seed, more=more, tries=tries)[0]


def matched(pattern: str, seed: str | int, *, more: int = 20, tries: int = 200) -> re.Match[str]:
    """Draw as `drawn` does; return the match, for its groups."""
    own = python(pattern)
    tree = parser.parse(own)
    dice = random.Random(f"{pattern} {seed}")
    for _ in range(tries):
        text = _text(tree, dice, more, folded=False)
        # `\b`, anchors and look-around were ignored: the check makes up for it.
        if (match := re.search(own, text)) and match.span() == (0, len(text)):
            return match
    raise ValueError(f"no text drawn in {tries} tries matches {pattern}")


def _text(items: Any, dice: random.Random, more: int, *, folded: bool) -> str:
    return "".join(_item(str(name), value, dice, more, folded=folded) for name, value in items)


def _item(name: str, value: Any, dice: random.Random, more: int, *, folded: bool) -> str:
    if name in EMPTY:
        return ""
    if name in ONE:
        return _letter(name, value, dice, folded=folded)
    if name == "BRANCH":
        return _text(dice.choice(value[1]), dice, more, folded=folded)
    if name == "SUBPATTERN":
        _, added, removed, inner = value
        folded = (folded or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE
        return _text(inner, dice, more, folded=folded)
    if name.endswith("_REPEAT"):
        least, most, inner = value
        most = least + more if most is parser.MAXREPEAT else int(most)
        rounds = dice.randint(least, most)
        if _any(inner):
            return "".join(dice.choices(PRINTABLE, k=rounds))
        return "".join(_text(inner, dice, more, folded=folded) for _ in range(rounds))
    raise ValueError(f"not supported in an expression: {name}")


def _letter(name: str, value: Any, dice: random.Random, *, folded: bool) -> str:
    if name == "ANY":
        return "."  # a dot alone, in the name of a host: nobody escaped it
    found = dice.choice(_letters(name, value))
    folded = folded and name == "IN" and any(str(each) == "RANGE" for each, _ in value)
    return dice.choice((found.lower(), found.upper())) if folded else found


def _any(items: Any) -> bool:
    """Tell whether an expression is a dot, also in a group of its own."""
    name, value = items[0]
    return str(name) == "ANY" or (str(name) == "SUBPATTERN" and _any(value[3]))


def _letters(name: str, value: Any) -> str:
    """Return the letters that one item allows."""
    match name:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return PRINTABLE.replace(chr(value), "")
        case "RANGE":
            return "".join(map(chr, range(value[0], value[1] + 1)))
        case "CATEGORY":
            return CATEGORIES[str(value)]
        case _:
            negate = str(value[0][0]) == "NEGATE"
            found = "".join(_letters(str(each), inner) for each, inner in value[negate:])
            return "".join(c for c in PRINTABLE if c not in found) if negate else found


if __name__ == "__main__":
    for number in range(5):
        print(drawn(sys.argv[1], number))
