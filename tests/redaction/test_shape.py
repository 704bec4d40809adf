"""The shape in `allowed_values`, whose texts are skipped, matches no secret."""

import pytest

from bench.redaction.stage import EXPOSES, INSERT, shipped
from tests.redaction.automaton import common
from tests.redaction.masking import found, unread
from tests.redaction.secrets import EMAIL, EMAIL_PATTERN, SECRETS

STAGE = shipped()
SHAPES = STAGE["redaction"]["allowed_values"]
PATTERNS = [each for each in STAGE["redaction"]["blocked_values"] if "env:" not in each]


@pytest.mark.parametrize("pattern", [*PATTERNS, EMAIL_PATTERN])
def test_no_secret_pattern_matches_a_skipped_text(pattern: str) -> None:
    assert [text for shape in SHAPES if (text := common(shape, pattern)) is not None] == []


@pytest.mark.parametrize(
    ("shape", "pattern", "fits"),
    [
        ("^[a-z_]{0,9}$", "gh[ps]_[a-z]{5,}", True),
        ("^[a-z_]{0,8}$", "gh[ps]_[a-z]{5,}", False),
        ("^(?:[a-z]{1,3}(?: |$))*$", "bc d", True),
        ("^(?:[a-z]{1,3}(?: |$))*$", "bcde", False),
        ("^a*b$", r"^b\b", True),
        ("^a+b$", r"^b\b", False),
    ],
)
def test_a_text_that_matches_both_expressions_is_found(
    shape: str, pattern: str, *, fits: bool
) -> None:
    assert (common(shape, pattern) is not None) == fits


def test_no_secret_of_the_corpus_is_skipped() -> None:
    texts = {secret.name: secret.text for secret in (*SECRETS, EMAIL)}
    assert [name for name, text in texts.items() if unread(text) and not found(text)] == []


def test_no_search_finds_a_name_that_is_not_exposed() -> None:
    finds = STAGE["redaction/find"]["allowed_values"]
    assert [text for find in finds if (text := common(SHAPES[0], find)) is not None] == []


def test_names_are_exposed_by_the_same_shape() -> None:
    expose = [group for name in EXPOSES for group in STAGE[name]["trace_statements"]]
    gated = [each for group in expose for each in group["statements"] if "IsMatch(" in each]
    assert len(gated) == 2
    assert all(f'"{SHAPES[0]}"' in each for each in gated)


def test_a_services_commonest_texts_are_skipped() -> None:
    names = ["POST /agents/{agent_id}/tasks", "XADD XLEN", "INSERT", "agent_execution", "0.25"]
    often = [*names, INSERT, "127.0.0.1", "python-httpx/0.28.1"]
    assert [text for text in often if not unread(text)] == []
