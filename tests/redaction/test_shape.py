"""What `allowed_values` lets pass unread holds no secret: a search for a counterexample."""

import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, Unsatisfiable

from bench.redaction_stage import shipped
from tests.redaction.secrets import EMAIL, EMAIL_PATTERN, SECRETS

STAGE = shipped()
[SHAPE] = STAGE["redaction"]["allowed_values"]
PATTERNS = [each for each in STAGE["redaction"]["blocked_values"] if "env:" not in each]
# The letters of the shape, and fewer of them: the fewer, the more texts come near to it.
SMALL = "abcdefghijklmnopqrstuvwxyz_"
ALPHABETS = [SMALL, f"{SMALL}./{{}} ", f"{SMALL}ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \n?./{{}}"]
AROUND = st.sampled_from(["", "GET ", "/", "agents/", "app.", "?", "1."])
CHOICE = settings(
    max_examples=30,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def unread(text: str) -> bool:
    """Return whether a text passes by its shape. Go's `$` is the very end of it."""
    return re.fullmatch(SHAPE.removeprefix("^").removesuffix("$"), text) is not None


def search(pattern: str, alphabet: str) -> None:
    """Make matches of a pattern from the letters, where it can be matched by them."""
    compiled = re.compile(pattern, re.ASCII)
    matches = st.from_regex(compiled, fullmatch=True, alphabet=alphabet)

    @CHOICE
    @given(matches, AROUND, AROUND)
    def no_match_passes(match: str, before: str, after: str) -> None:
        for text in (match, before + match + after):
            assert not (unread(text) and compiled.search(text))

    try:
        no_match_passes()
    except (InvalidArgument, Unsatisfiable):
        return  # a letter that the pattern needs is none of the shape's


@pytest.mark.parametrize("pattern", [*PATTERNS, EMAIL_PATTERN])
def test_no_match_of_a_pattern_passes_unread(pattern: str) -> None:
    for alphabet in ALPHABETS:
        search(pattern, alphabet)


def test_no_secret_of_the_corpus_passes_unread() -> None:
    assert [secret.name for secret in (*SECRETS, EMAIL) if unread(secret.text)] == []


def test_names_are_lent_by_the_same_shape() -> None:
    lend = yaml.safe_load(yaml.safe_dump(STAGE["transform/lend"]["trace_statements"]))
    gated = [each for group in lend for each in group["statements"] if "IsMatch(" in each]
    assert len(gated) == 2
    assert all(f'"{SHAPE}"' in each for each in gated)


def test_what_a_service_says_most_often_passes_unread() -> None:
    often = ["POST /agents/{agent_id}/tasks", "XADD XLEN", "INSERT", "agent_execution", "0.25"]
    assert [text for text in often if not unread(text)] == []
