"""The rows of `collector/secrets/`, read and checked, and the forms in which names are written."""

import re
import warnings
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NoReturn

import yaml
from pydantic import ConfigDict, Field, StringConstraints, ValidationError
from pydantic.dataclasses import dataclass

from stack.errors import UserError
from stack.paths import COLLECTOR

FOLDER = COLLECTOR / "secrets"
MASK = "****"
SHORT = 4  # letters
# Endings of names, in small letters and in capitals: a search for one finds several names.
ENDINGS = (
    ("w(?:or)?[dt]", "W(?:OR)?[DT]"),
    ("r(?:ase|et|edential|ization)", "R(?:ASE|ET|IZATION)"),
    ("k(?:en|ie|ey)", "K(?:EN|IE|EY|ey)"),
)
# Marks a name that a value may follow, and its `texts`, while the expressions run. Unicode reserves
# these characters for such internal use.
MARK = "\ufdd0"
TEXTS = {"any": "\ufdd1", "mixed": "\ufdd2", "path": "\ufdd3", "header": "\ufdd4"}
NAME = r"\x{FDD0}[\x{FDD1}-\x{FDD4}]"
# Of a quote in JSON, in JSON within JSON, in JSON within that, and in any.
ESCAPES = ("", r"\\", r"\\{3}", r"\\+")
CONFIG = ConfigDict(extra="forbid")
Filled = Annotated[str, StringConstraints(min_length=1)]
Letters = Annotated[str, StringConstraints(pattern="^[a-z]+( [a-z]+)*$")]
Texts = Literal["any", "mixed", "path", "header"]


@dataclass(frozen=True, config=CONFIG)
class Token:
    """A row of tokens.yaml."""

    name: Filled
    pattern: Filled
    source: Filled
    kind: Literal["vendor token", "key material"] = "vendor token"
    find: str = ""
    stays: tuple[str, ...] = ()
    since: str = "0.1.0"


@dataclass(frozen=True, config=CONFIG)
class Word:
    """A row of words.yaml."""

    name: Filled
    words: tuple[Letters, ...]
    texts: Literal["never", "any", "mixed", "path", "header"]
    source: Filled
    capitals: bool = False
    plural: bool = False
    since: str = "0.1.0"

    def forms(self) -> Iterator[str]:
        """Return an expression for the name in small letters, and one in capitals."""
        for shape in (small, capital) if self.capitals else (small,):
            yield self._whole("|".join(shape(word)[1] for word in self.words))

    def leads(self) -> Iterator[str]:
        """Return the expressions that search for it in texts."""
        for word in self.words if self.texts in TEXTS else ():
            shared = [each for each in ENDINGS if re.search(f"{each[0]}$", word)]
            shapes = [small(word)[0], *([capital(word)[0]] if self.capitals else [])]
            with_capital = self.capitals or " " in word  # `apiKey`
            yield from shared[0][: 2 if with_capital else 1] if shared else shapes

    def key_patterns(self) -> Iterator[str]:
        """Return an expression for each way to write the name as the end of a key."""
        for word in self.words:
            lead, exact = small(word)
            # Two expressions that begin with a letter are faster than one with a class.
            shapes = [lead] if exact == lead else [word[0] + lead, word[0].upper() + lead]
            shapes += [capital(word)[1]] if self.capitals else []
            yield from (f"{self._whole(shape)}$" for shape in shapes)

    def _whole(self, form: str) -> str:
        """Return a form with what may follow within the name: a plural and a digit."""
        form = f"(?:{form})" if "|" in form else form
        return f"{form}{'[sS]?' if self.plural else ''}[0-9]?"


@dataclass(frozen=True, config=CONFIG)
class Phrase:
    """A row of phrases.yaml, its macros expanded."""

    name: Filled
    before: Filled
    after: str
    value: str = ""
    keeps: str = ""
    texts: tuple[Texts, ...] = ()
    finds: tuple[str, ...] = ()
    levels: Annotated[int, Field(ge=1, le=4)] = 1
    mask: str = MASK
    examples: tuple[tuple[str, str], ...] = ()
    since: str = "0.1.0"

    def searched(self) -> tuple[str, ...]:
        """Return the expressions that search for it."""
        return self.finds or ((f"{self.before}(?:{self.value})",) if self.value else ())

    def at_levels(self) -> Iterator[tuple[str, str, str, str]]:
        """Return before, value, after and mask, at each level of JSON within JSON."""
        for level, escape in enumerate(ESCAPES[: self.levels]):
            quote = "\\" * (2**level - 1)
            before, value, after = (
                part.replace("{q}", escape).replace("{DOUBLE}", double(level))
                for part in (self.before, self.keeps or self.value, self.after)
            )
            yield before, value, after, self.mask.replace("{q}", quote)


def small(word: str) -> tuple[str, str]:
    """Return expressions for `password` and `Password`, `api key`, `apiKey` and `Api-Key`.

    The first begins after the first letter. So does the second, unless the first word is so short
    that the rest may end other words: `wd` ends `cwd`, `in code` ends `origin code`.
    """
    first, *others = word.split()
    rest = "".join(f"[-_. ]?[{each[0]}{each[0].upper()}]{each[1:]}" for each in others)
    start = f"[{first[0]}{first[0].upper()}]" if len(first) <= SHORT else ""
    return first[1:] + rest, start + first[1:] + rest


def capital(word: str) -> tuple[str, str]:
    """Return the same for `PASSWORD`, `API_KEY` and `API-Key`."""
    first, *others = word.upper().split()
    rest = "".join(f"[-_. ]?{each[0]}(?:{each[1:]}|{each[1:].lower()})" for each in others)
    return first[1:] + rest, (first if len(first) <= SHORT else first[1:]) + rest


def double(level: int) -> str:
    """Return an expression for what is in double quotes that `level` strings of JSON surround.

    Its last quote has fewer backslashes than a quote within: 0, 1 or 3, and 1, 3 or 7.
    """
    if level == 0:
        return r'(?:[^"\\]|\\(?s:.))+'
    if level == len(ESCAPES) - 1:
        return r'(?:[^"\\]|\\+[^"\\])+'
    pair = 2 ** (level + 1)
    escaped = rf"(?:\\{{{pair}}})*"
    return rf'(?:[^"\\]|\\+[^"\\]|{escaped}\\{{{pair - 1}}}")+{escaped}'


def leading(pattern: str) -> str:
    """Return the literal characters that an expression begins with."""
    found = re.match(r"(?:\(\?:)*((?:[A-Za-z0-9_:/~&@%<>=,;\"' -]|\\[^\w\s])+)", pattern)
    if not found:
        return ""
    text = found[1]
    if pattern[found.end() :][:1] in {"?", "*", "{"}:
        text = re.sub(r"(?:\\.|.)$", "", text)
    return text.replace("\\", "")


def tokens() -> tuple[Token, ...]:
    """Return the rows of tokens.yaml; raises `UserError` for one that cannot be used."""
    found = tuple(made(Token, row, "tokens") for row in read("tokens"))
    for token in once(found, "tokens"):
        lead = leading(token.find or token.pattern)
        if not lead or (len(lead) == 1 and lead.islower()):
            reason = "begin the pattern, or a `find`, with literal letters that are rare in texts"
            refuse("tokens", token.name, reason)
        for pattern in (token.pattern, token.find):
            compiles(pattern, "tokens", token.name)
    return found


def words() -> tuple[Word, ...]:
    """Return the rows of words.yaml; raises `UserError` for one that cannot be used."""
    found = tuple(made(Word, row, "words") for row in read("words"))
    once(found, "words")
    return found


def phrases() -> tuple[Phrase, ...]:
    """Return the rows of phrases.yaml; raises `UserError` for one that cannot be used."""
    content = read("phrases")
    macros = {**content["macros"], "NAME": NAME}
    rows = (expanded(row, macros) for row in content["phrases"])
    found = tuple(made(Phrase, row, "phrases") for row in rows)
    for phrase in once(found, "phrases"):
        for pattern in (phrase.before, phrase.value, phrase.keeps, phrase.after, *phrase.finds):
            if unknown := set(re.findall(r"\{([A-Z]{2,})\}", pattern)) - {"DOUBLE"}:
                refuse("phrases", phrase.name, f"no macro is named {', '.join(unknown)}")
            compiles(pattern, "phrases", phrase.name)
    return found


def read(file: str) -> Any:
    try:
        return yaml.safe_load((FOLDER / f"{file}.yaml").read_text())
    except yaml.YAMLError as error:
        raise UserError(f"collector/secrets/{file}.yaml is not valid YAML: {error}") from None


def made(kind: Any, row: Any, file: str) -> Any:
    """Return a row as `kind`; raises `UserError` for one that is incomplete or misspelled."""
    if not isinstance(row, dict):
        refuse(file, str(row), "a row has fields such as `name: ...`")
    try:
        return kind(**row)
    except ValidationError as error:
        wrong = (
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_url=False)
        )
        refuse(file, str(row.get("name", row)), "; ".join(wrong))


def once(rows: Any, file: str) -> Any:
    """Return the rows; raises `UserError` if two have the same name."""
    seen: set[str] = set()
    for row in rows:
        if row.name in seen:
            refuse(file, row.name, "two rows have this name")
        seen.add(row.name)
    return rows


def compiles(pattern: str, file: str, name: str) -> None:
    """Raise `UserError` for an expression that is none, as far as Python can tell."""
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            re.compile(re.sub(r"\\x\{(\w{4})\}", r"\\u\1", pattern))
    except re.error as error:
        refuse(file, name, f"{pattern} is not a regular expression: {error}")


def refuse(file: str, name: str, reason: str) -> NoReturn:
    raise UserError(f"collector/secrets/{file}.yaml: {name}: {reason}")


def expanded(value: Any, macros: dict[str, str]) -> Any:
    """Return a value of YAML with its macros replaced by what they stand for."""
    if isinstance(value, dict):
        return {key: expanded(each, macros) for key, each in value.items()}
    if isinstance(value, list):
        return [expanded(each, macros) for each in value]
    if isinstance(value, str):
        for name, text in macros.items():
            value = value.replace(f"{{{name}}}", text)
    return value
