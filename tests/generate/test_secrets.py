"""The page of what is masked shows what the catalogue's expressions match, and no secret."""

import re

from generate import catalogue
from generate.secrets import PAGE, beginnings, forms

ROWS = catalogue.read()


def test_a_format_has_a_beginning_and_the_page_has_no_token() -> None:
    page = PAGE.read_text()
    for token in ROWS.tokens:
        assert "" not in beginnings(token.find or token.pattern), token.name
        assert not re.search(token.find or token.pattern, page), token.name


def test_the_names_on_the_page_are_masked_as_keys() -> None:
    for word in ROWS.words:
        keys = list(map(re.compile, word.key_patterns()))
        for form in forms(word):
            shown = {form.replace("(s)", ""), form.replace("(s)", "s")}
            for key in {*shown, *(each.replace("_", "-") for each in shown)}:
                for written in (key, f"db.{key}", key[0].upper() + key[1:]):
                    assert any(each.search(written) for each in keys), written
