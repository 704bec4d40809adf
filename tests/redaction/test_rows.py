"""A row that cannot be used is refused in one sentence that names it."""

import re
from pathlib import Path
from shutil import copytree

import pytest

from generate import catalogue, rows
from stack.errors import UserError

TOKEN = "- {name: mine, pattern: 'exc_[A-Za-z0-9]{40}', source: us}\n"
WORD = "- {name: mine, words: [pin code], texts: any, source: us}\n"
PHRASE = "  - {name: mine, before: 'exc=', value: '[a-z]+', after: ''}\n"
WRONG = [
    ("tokens", TOKEN.replace("pattern", "patern"), "tokens.yaml: mine: .*patern: Unexpected"),
    ("tokens", TOKEN.replace("source: us", "kind: k"), "tokens.yaml: mine: source: Field required"),
    ("tokens", TOKEN.replace("]{40}", "{40}"), "tokens.yaml: mine: .* regular expression"),
    ("tokens", TOKEN.replace("exc_", ""), "tokens.yaml: mine: begin the pattern"),
    ("tokens", TOKEN.replace("exc_", r"\bexc_"), "tokens.yaml: mine: begin the pattern"),
    ("tokens", TOKEN * 2, "tokens.yaml: mine: two rows"),
    ("tokens", "- mine\n", "tokens.yaml: mine: a row has fields"),
    ("tokens", "- {name\n", "tokens.yaml is not valid YAML"),
    ("words", WORD.replace("any", "sometimes"), "words.yaml: mine: texts: Input should be 'never'"),
    ("phrases", PHRASE.replace("[a-z]+", "{WORDS}"), "phrases.yaml: mine: no macro .* WORDS"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = copytree(rows.FOLDER, tmp_path / "secrets")
    monkeypatch.setattr(rows, "FOLDER", copy)
    return copy


@pytest.mark.parametrize(("file", "row"), [("tokens", TOKEN), ("words", WORD), ("phrases", PHRASE)])
def test_one_row_is_enough(folder: Path, file: str, row: str) -> None:
    before = catalogue.read()
    add(folder, file, row)
    assert catalogue.read() != before


@pytest.mark.parametrize(("file", "row", "said"), WRONG)
def test_a_wrong_row_is_named(folder: Path, file: str, row: str, said: str) -> None:
    add(folder, file, row)
    with pytest.raises(UserError) as raised:
        catalogue.read()
    assert re.search(said, str(raised.value), re.S)


def add(folder: Path, file: str, row: str) -> None:
    with (folder / f"{file}.yaml").open("a") as stream:
        stream.write(row)
