"""The expressions that are made from the catalogue of secrets.

Go's `regexp` skips to a literal beginning at the speed of a text search, and reads everything else
letter by letter. Hence the forms here: names lose their first letter, which may be a capital, and
formats that begin with the same letters share one expression.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from generate import rows
from generate.rows import MARK, MASK, NAME, TEXTS, Phrase, Token, Word, leading

FOLLOWS = (
    r"""["'\\]*(?:\s|\\+[nrt])*(?:[:=>'(%]|\\+u003[eE])|["'](?:, ?b|\r\n\r\n)"""
    r"""|\s[A-Za-z:]+=["'][^<>]*>|["'\\]*,?(?:\s|\\+[nrt])*["'\\]*value["'\\]*\s*[:=]"""
)
OPTION = r"""["']?[ \t,]{1,3}"""  # of a command line: --password value
VALUE = "(?s:.{4})"  # a longer expression is faster: texts that are shorter are not read
# Before a token that has a `find`: not within a word, nor within base64.
BETWEEN = r"[^A-Za-z0-9+/_-]|\\+[nrt]"
# Letters, and pairs of letters, that are frequent in texts: an expression that begins with one is
# tried often.
PAIRS = (
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve "
    "co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur sk pa pr ap ag"
)
FREQUENT = frozenset([*PAIRS.split(), *"abcdefghiklmnoprstuvwy -._/"])


@dataclass(frozen=True)
class Change:
    """An expression and what replaces its matches, with Go's `${n}` for groups."""

    pattern: str
    by: str


@dataclass(frozen=True)
class Catalogue:
    """All rows."""

    tokens: tuple[Token, ...]
    words: tuple[Word, ...]
    phrases: tuple[Phrase, ...]

    def formats(self) -> list[list[str]]:
        """Return the patterns of tokens, those together that share an expression."""
        return by_lead([token.pattern for token in self.tokens if not token.find])

    def blocked(self) -> list[str]:
        """Return the expressions for tokens."""
        return [joined(each) for each in self.formats()]

    def key_patterns(self) -> list[str]:
        """Return the expressions for keys whose value is masked."""
        return [key for word in self.words for key in word.key_patterns()]

    def searches(self) -> list[list[str]]:
        """Return what `finds` searches for, those together that share an expression."""
        leads = dict.fromkeys(lead for word in self.words for lead in word.leads())
        found = dict.fromkeys(
            [f"{lead}[sS]?[0-9]?(?:{FOLLOWS}){VALUE}" for lead in leads]
            + [find for row in self.alone for find in row.searched()]
            + [token.find for token in self.tokens if token.find]
        )
        return by_lead(found)

    def finds(self) -> list[str]:
        """Return the short expressions that match every text that `changes` may change."""
        return [joined(each) for each in self.searches()]

    @property
    def alone(self) -> list[Phrase]:
        """The phrases that follow no name."""
        return [phrase for phrase in self.phrases if not phrase.texts]

    def changes(self) -> list[Change]:
        """Return what is done with a text that one of `finds` matches, in this order.

        Names are marked first, so that the long expressions for what follows begin with a rare
        character, and occur once for each kind of name.
        """
        named = [word for word in self.words if word.texts in TEXTS]
        kept = [phrase for phrase in self.phrases if phrase.texts and phrase.keeps]
        cut = [phrase for phrase in self.phrases if phrase.texts and phrase.value]
        return [
            *(
                Change(f"({name})({FOLLOWS}|{OPTION})", f"${{1}}{MARK}{TEXTS[word.texts]}${{2}}")
                for word in named
                for name in word.forms()
            ),
            *(Change(f"({phrase.before}){NAME}", "${1}") for phrase in self.alone if phrase.keeps),
            *(after_names(rows) for rows in by_texts(kept)),
            *(after_names(rows) for rows in by_texts(cut)),
            *(
                Change(f"({before})(?:{value})({after})", f"${{1}}{mask}${{2}}")
                for phrase in self.alone
                for before, value, after, mask in phrase.at_levels()
                if phrase.value
            ),
            *(
                Change(f"(^|{BETWEEN})(?:{token.pattern})", "${1}" + MASK)
                for token in self.tokens
                if token.find
            ),
            Change(NAME, ""),
        ]


def by_texts(phrases: Iterable[Phrase]) -> list[list[Phrase]]:
    """Group phrases that follow the same names."""
    groups: dict[tuple[str, ...], list[Phrase]] = {}
    for phrase in phrases:
        groups.setdefault(phrase.texts, []).append(phrase)
    return list(groups.values())


def after_names(rows: list[Phrase]) -> Change:
    """Return what is done after a marked name: the mark goes, and the value is masked or kept."""
    kept = bool(rows[0].keeps)
    parts = [part for row in rows for part in row.at_levels()]
    middle = "({1})" if kept else "(?:{1})"
    anyone = "|".join(f"({{0}}){middle}({{2}})".format(*part) for part in parts)
    each = 3 if kept else 2
    groups = range(1, each * len(parts) + 1)
    starts = "".join(f"${{{n}}}" for n in groups if n % each == 1)
    ends = "".join(f"${{{n}}}" for n in groups if n % each != 1)
    marks = "".join(TEXTS[texts] for texts in rows[0].texts)
    return Change(f"{MARK}[{marks}](?:{anyone})", starts + ("" if kept else MASK) + ends)


def by_lead(patterns: Iterable[str]) -> list[list[str]]:
    """Group expressions that begin with the same letters: enough of them to be rare in texts."""
    groups: dict[str, list[str]] = {}
    for pattern in sorted(patterns, key=lambda each: len(leading(each))):
        lead = leading(pattern)
        shared = [lead[:n] for n in range(1, len(lead) + 1)]
        rare = [part for part in shared if part not in FREQUENT or len(part) > 2]
        known = [part for part in shared if part in groups]
        groups.setdefault([*known, *rare, lead][0], []).append(pattern)
    return list(groups.values())


def joined(patterns: list[str]) -> str:
    """Return one expression for all; the longest beginning counts first."""
    ordered = sorted(patterns, key=lambda pattern: -len(leading(pattern)))
    return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(ordered)})"


def read() -> Catalogue:
    """Return the catalogue; raises `UserError` for a row that cannot be used."""
    return Catalogue(rows.tokens(), rows.words(), rows.phrases())
