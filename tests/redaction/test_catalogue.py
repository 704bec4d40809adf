"""Every row of collector/secrets/ masks what it names, and is needed; nothing else changes."""

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from generate import catalogue
from generate.catalogue import Catalogue
from generate.rows import MASK, Phrase, Token, Word
from tests.redaction import listed
from tests.redaction.drawn import drawn
from tests.redaction.harmless import HARMLESS
from tests.redaction.intact import INTACT, encoded
from tests.redaction.masked import MASKED
from tests.redaction.masking import Rules, compiled, mask, rules_of, shipped, unread

ROWS = catalogue.read()
DRAWS = 5
PART = 8  # characters of a token that may not stay together
EXAMPLES = [pair for phrase in ROWS.phrases for pair in phrase.examples]
PATTERNS = [compiled(token.pattern) for token in ROWS.tokens]
KEYS = list(map(compiled, ROWS.key_patterns()))
OTHER_KEYS = (
    "gen_ai.usage.input_tokens", "passwordless.enabled", "secretary.name", "cookie_banner.shown",
    "CACHE_KEY", "PRIMARY_KEY", "sort_key", "tokenizer", "authorized", "session.id", "author",
    "keyboard", "monkey", "truth", "user.youth", "newt", "k8s.secret.name", "aws.s3.key", "cwd",
    "messaging.kafka.message.key", "process.working_directory", "bandwidth", "passed", "compass",
)  # fmt: skip
SECRET_NAMES = ("password", "clientSecret", "api_key", "refresh_token", "cookie", "Authorization")
OTHER_NAMES = ("user", "n", "items", "max_tokens", "secretary", "sort_key", "created_at", "note")
TEXTS = (
    "jane", "a b", "it's", 'say "a"', "C:\\Temp", "a\nb", "{x}", "[1, 2]", "größe 🔑", "a, b; c",
    "2026-11-23T14:27:52Z", "https://x.example/y?page=2", "<b>bold</b>", "50%", "\t", "a}b]c",
    "Enter password:", "secret =", "Authorization: ", "api_key", "it's token='",
)  # fmt: skip
SECRETS = ("hunter2" + "-x9", 'a"b\\c', "a b, c}", "12345678", "it's;x9", "pä-🔑", "a\nb-9", "x\\")
OTHERS = (0, 12, -3.5, 1e30, True, False, None)
IMAGE = 6 << 20  # bytes


def names(rows: tuple[Token, ...] | tuple[Word, ...] | tuple[Phrase, ...]) -> tuple[str, ...]:
    return tuple(sorted(row.name for row in rows))


def tokens(row: Token) -> list[str]:
    return [drawn(row.pattern, seed) for seed in range(DRAWS)]


def escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def placed(token: str) -> Iterator[tuple[str, str, str]]:
    """Return a token in texts: what is before, the token as it is written there, and after."""
    yield "", token, ""
    yield "the service answered ", token, "; it went on"
    yield '{"note": "', escaped(token), '", "n": 1}'
    yield r'{"body": "{\"note\": \"', escaped(escaped(token)), r'\", \"n\": 1}"}'
    yield "build=", token, "; n=1"
    if quote(token, safe="") == token:
        yield "https://x.example/y?x=", token, "&n=1"


@pytest.mark.parametrize(
    ("kept", "rows"),
    [
        (listed.TOKENS, ROWS.tokens),
        (listed.WORDS, ROWS.words),
        (listed.PHRASES, ROWS.phrases),
    ],
    ids=["tokens", "words", "phrases"],
)
def test_no_row_is_gone(
    kept: tuple[str, ...], rows: tuple[Token, ...] | tuple[Word, ...] | tuple[Phrase, ...]
) -> None:
    gone = set(kept) - set(names(rows))
    assert not gone, f"these rows are gone: add them again or remove them in listed.py: {gone}"
    assert len(set(names(rows))) == len(names(rows)), "each name occurs once"


@pytest.mark.parametrize("row", ROWS.tokens, ids=lambda row: row.name)
def test_a_token_is_masked_in_every_place(row: Token) -> None:
    for token in tokens(row):
        for before, written, after in placed(token):
            masked = mask(before + written + after)
            assert masked.startswith(before)
            assert masked.endswith(after)
            left = masked[len(before) : len(masked) - len(after)]
            parts = {written[at : at + PART] for at in range(len(written) - PART + 1)}
            assert [part for part in parts if part in left] == []


@pytest.mark.parametrize("row", ROWS.tokens, ids=lambda row: row.name)
def test_a_token_is_masked_by_its_row_alone(row: Token) -> None:
    without = rules_of(replace(ROWS, tokens=tuple(each for each in ROWS.tokens if each != row)))
    quoted = [f"`{token}`" for token in tokens(row)]
    assert any(mask(text, without) != f"`{MASK}`" for text in quoted), "the row is not needed"


@pytest.mark.parametrize("row", [row for row in ROWS.tokens if row.find], ids=lambda row: row.name)
def test_a_token_that_is_searched_counts_only_at_the_start_of_a_word(row: Token) -> None:
    for token in tokens(row):
        for before in ("Zq3", "x/", "A+", "w-"):
            rules = rules_of(Catalogue((row,), (), ()))
            assert mask(f"{before}{token}", rules) == f"{before}{token}"


def test_look_alikes_of_tokens_stay() -> None:
    stays = [text for row in ROWS.tokens for text in row.stays]
    assert changed(stays) == {}


def test_a_token_without_its_last_character_stays() -> None:
    """Of a format with an exact length; of others, what is left still matches."""
    shorter = [token[:-1] for row in ROWS.tokens for token in tokens(row)]
    no_token = [text for text in shorter if not any(each.search(text) for each in PATTERNS)]
    assert len(no_token) > len(shorter) / 3
    assert changed(no_token) == {}


def changed(texts: Iterator[str] | list[str] | tuple[str, ...]) -> dict[str, str]:
    """Return the texts that masking changes, with what becomes of them."""
    return {text: masked for text in texts if (masked := mask(text)) != text}


@pytest.mark.parametrize("row", ROWS.words, ids=lambda row: row.name)
def test_a_word_is_needed(row: Word) -> None:
    without = replace(ROWS, words=tuple(each for each in ROWS.words if each != row))
    if row.texts != "never" and row.name in listed.WORDS:
        assert some_text_differs(rules_of(without))
    others = list(map(compiled, without.key_patterns()))
    assert [key for key in keys(row) if not any(each.search(key) for each in others)]


@pytest.mark.parametrize("row", ROWS.phrases, ids=lambda row: row.name)
def test_a_phrase_is_needed(row: Phrase) -> None:
    without = replace(ROWS, phrases=tuple(each for each in ROWS.phrases if each != row))
    assert row.examples
    assert some_text_differs(rules_of(without))


def some_text_differs(rules: Rules) -> bool:
    pairs = [*EXAMPLES, *MASKED, *((text, text) for text in INTACT)]
    return any(mask(before, rules) != after for before, after in pairs)


@pytest.mark.parametrize("row", ROWS.phrases, ids=lambda row: row.name)
def test_an_example_of_a_phrase_is_true(row: Phrase) -> None:
    assert [mask(before) for before, _ in row.examples] == [after for _, after in row.examples]


def test_only_the_value_of_a_secret_changes() -> None:
    wrong = {before: found for before, after in MASKED if (found := mask(before)) != after}
    assert wrong == {}


def test_masking_again_changes_nothing() -> None:
    assert changed([after for _, after in (*MASKED, *EXAMPLES)]) == {}
    drawn_tokens = [mask(token) for row in ROWS.tokens for token in tokens(row)]
    assert changed(drawn_tokens) == {}


@pytest.mark.parametrize("texts", [INTACT, HARMLESS], ids=["intact", "harmless"])
def test_a_text_without_a_secret_stays(texts: tuple[str, ...] | list[str]) -> None:
    assert changed(texts) == {}


def test_an_image_in_base64_stays() -> None:
    for seed in range(2):
        text = base64.b64encode(random.Random(seed).randbytes(IMAGE)).decode()
        assert mask(text) == text


def test_every_text_that_changes_is_found_by_a_search() -> None:
    texts = [before for before, _ in (*MASKED, *EXAMPLES)]
    texts += [token for row in ROWS.tokens if row.find for token in tokens(row)]
    texts += [f"x={token}; {word}={SECRETS[0]}" for token in texts[-20:] for word in SECRET_NAMES]
    for text in texts:
        cut = shipped().cut(text)
        assert mask(text) == (cut if unread(cut) else shipped().block(cut))


def keys(row: Word) -> Iterator[str]:
    """Return keys that end in a name, in each way to write it."""
    for word in row.words:
        parts = word.split()
        snake, joined = "_".join(parts), "".join(parts)
        title = "".join(part.capitalize() for part in parts)
        train = "-".join(part.capitalize() for part in parts)
        forms = [f"{sign.join(parts)}" for sign in ("", "_", "-", ".")]
        plural = [snake, joined, title, f"db{title}"] if row.plural else []
        for form in (*forms, *(f"{each}s" for each in plural if each != f"db{title}")):
            yield from (form, f"db.{form}", f"x-{form}", f"http.request.header.{form}")
        yield from (title, train, f"X-{train}", f"db{title}", f"{parts[0]}{title[len(parts[0]) :]}")
        yield from (f"{each}s" for each in plural)
        if row.capitals:
            capitals = [sign.join(parts).upper() for sign in ("", "_", "-")]
            yield from (*capitals, *(f"APP_{each}" for each in capitals))
            yield from (f"{each}S" for each in capitals if row.plural)


@pytest.mark.parametrize("row", ROWS.words, ids=lambda row: row.name)
def test_a_key_that_ends_in_a_name_is_masked(row: Word) -> None:
    own = list(map(compiled, row.key_patterns()))
    assert [key for key in keys(row) if not any(each.search(key) for each in own)] == []


def test_other_keys_stay() -> None:
    found = {key: [each.pattern for each in KEYS if each.search(key)] for key in OTHER_KEYS}
    assert {key: patterns for key, patterns in found.items() if patterns} == {}


def document(dice: random.Random, depth: int) -> tuple[Any, Any]:
    """Return a random value of JSON, and the same after masking."""
    kind = dice.choice(("dict", "dict", "list", "text", "other")) if depth else "text"
    if kind == "dict":
        pairs = {name: document(dice, depth - 1) for name in some(OTHER_NAMES, dice)}
        pairs |= {name: under_secret(dice, depth - 1) for name in some(SECRET_NAMES, dice)}
        order = dice.sample(sorted(pairs), len(pairs))
        return {name: pairs[name][0] for name in order}, {name: pairs[name][1] for name in order}
    if kind == "list":
        values = [document(dice, depth - 1) for _ in range(dice.randint(0, 3))]
        return [value for value, _ in values], [masked for _, masked in values]
    value = dice.choice(TEXTS if kind == "text" else OTHERS)
    return value, value


def some(names: tuple[str, ...], dice: random.Random) -> list[str]:
    return dice.sample(names, dice.randint(0, 3))


def under_secret(dice: random.Random, depth: int) -> tuple[Any, Any]:
    """Return a value for the name of a secret. Only a text, or a list of texts, is one."""
    match dice.randint(0, 4):
        case 0:
            return dice.choice(SECRETS), MASK
        case 1:
            # It loses how many there were.
            return dice.choices(SECRETS, k=dice.randint(1, 3)), [MASK]
        case 2:
            value, masked = document(dice, max(depth, 0))
            return {"note": value}, {"note": masked}
        case 3:
            value = dice.choice(("", [], {}))
            return value, value
    value = dice.choice(OTHERS)
    return value, value


WRITTEN: dict[str, Callable[[Any], str]] = {
    "compact": lambda value: json.dumps(value, separators=(",", ":")),
    "with spaces": json.dumps,
    "with indentation": lambda value: json.dumps(value, indent=2),
    "in Unicode": lambda value: json.dumps(value, ensure_ascii=False),
    "in JSON": lambda value: encoded(value, 2),
    "in JSON twice": lambda value: encoded(value, 3),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_json_stays_json_with_the_same_keys(written: str) -> None:
    dice = random.Random(written)
    for _ in range(300):
        value, masked = document(dice, 4)
        found = json.loads(mask(WRITTEN[written](value)))
        for _ in range(("in JSON", "in JSON twice").index(written) + 1 if "JSON" in written else 0):
            found = json.loads(found["body"])
        assert (found, list(flat(found))) == (masked, list(flat(masked))), WRITTEN[written](value)


def flat(value: Any) -> Iterator[Any]:
    """Return keys and types in their order: `==` takes 1 and true for the same."""
    yield type(value)
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from flat(each)
    elif isinstance(value, list):
        for each in value:
            yield from flat(each)
