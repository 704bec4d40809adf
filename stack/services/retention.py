"""PROMETHEUS_RETENTION: how long the local Prometheus keeps its data."""

import re
from collections.abc import Mapping

from stack.errors import UserError

VARIABLE, DEFAULT = "PROMETHEUS_RETENTION", "90d"  # docker-compose.yml has the same default
# A Prometheus duration of a second or more: for zero, Prometheus would use its own default.
DURATION = re.compile(r"(?=.*[1-9])(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?")


def retention(variables: Mapping[str, str]) -> str:
    """Return the retention as a Prometheus duration; raises `UserError`."""
    value = variables.get(VARIABLE) or DEFAULT
    if not DURATION.fullmatch(value):
        raise UserError(
            f'{VARIABLE}={value} is not a duration: set it to one such as "15d" or "1y6w"'
        )
    return value
