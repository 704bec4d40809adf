"""Secrets from the environment, checked before an HTTP client could print one in its error."""

from collections.abc import Mapping

from opentelemetry.util.re import parse_env_headers

from app.sdk_health import unusable_headers
from stack.errors import UserError

HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"


def secret(variables: Mapping[str, str], name: str) -> str:
    """Return the value, empty if unset; raises `UserError`, which never shows it."""
    value = variables.get(name, "")
    if any(not "!" <= character <= "~" for character in value):
        raise UserError(
            f"{name} contains a space, a line break or a non-ASCII character: copy it again"
        )
    return value


def address(variables: Mapping[str, str], name: str, default: str) -> str:
    """Return a URL without a slash at its end; raises `UserError`, which never shows it."""
    value = variables.get(name) or default
    if not value.isprintable() or " " in value or not value.startswith(("http://", "https://")):
        raise UserError(f"{name} is not an http or https URL: copy it again")
    return value.rstrip("/")


def exporter_headers(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers of an OTLP exporter; raises `UserError`, which never shows them."""
    text = variables.get(HEADERS, "")
    if wrong := unusable_headers(text):
        raise UserError(f"{HEADERS} {wrong}")
    return parse_env_headers(text, liberal=True)
