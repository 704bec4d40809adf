"""Secrets from the environment, checked before an HTTP client could print one in its error."""

from collections.abc import Mapping

from stack.errors import UserError


def secret(variables: Mapping[str, str], name: str) -> str:
    """Return the value, empty if unset; raises `UserError`, which never shows it."""
    value = variables.get(name, "")
    if any(not "!" <= character <= "~" for character in value):
        raise UserError(
            f"{name} contains a space, a line break or a non-ASCII character: copy it again"
        )
    return value
