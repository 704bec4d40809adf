"""Bad values in the environment end in one sentence, and no secret is printed."""

from pathlib import Path

import pytest

from tests.stack.conftest import Agentical

SECRET = "pylf_v1_topsecret"
BROKEN = (f"{SECRET}\n", f"{SECRET}\nx", f" {SECRET}", f"{SECRET}é")


@pytest.mark.parametrize("value", BROKEN, ids=["line end", "line break", "space", "accent"])
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("LOGFIRE_TOKEN", ("demo",)),
        ("LOGFIRE_TOKEN_SECOND", ("demo",)),
        ("LOGFIRE_READ_TOKEN", ("query", "SELECT 1")),
    ],
)
def test_a_token_that_no_header_can_carry_is_refused_and_not_printed(
    agentical: Agentical,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    command: tuple[str, ...],
    value: str,
) -> None:
    monkeypatch.setenv("LOGFIRE_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("DURATION", "1")  # a demo that starts all the same ends
    monkeypatch.setenv(name, value)
    ended = agentical(*command)
    assert ended.code == 1
    assert ended.err.startswith(f"agentical: {name} contains a space, a line break or a non-ASCII")
    assert SECRET not in ended.out + ended.err


def test_a_cache_that_cannot_be_created_is_named(
    agentical: Agentical, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken = tmp_path / "file"
    taken.touch()
    monkeypatch.setenv("AGENTICAL_CACHE", str(taken))
    ended = agentical("tools")
    assert ended.code == 1
    assert f"cannot create the cache {taken}" in ended.err
    assert "set AGENTICAL_CACHE" in ended.err
