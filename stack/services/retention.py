"""How long the local Prometheus keeps its data."""

import re
from collections.abc import Mapping

from stack.errors import UserError

VARIABLE, DEFAULT = "PROMETHEUS_RETENTION", "90d"  # docker-compose.yml's, too
# Prometheus' durations from seconds up, but not zero: with that it would take its own default.
DURATION = re.compile(r"(?=.*[1-9])(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?")


def retention(variables: Mapping[str, str]) -> str:
    """Return the time from the variables as Prometheus writes it; raises `UserError`."""
    value = variables.get(VARIABLE) or DEFAULT
    if not DURATION.fullmatch(value):
        raise UserError(f'{VARIABLE}={value} is no time: set it to one such as "15d" or "1y6w"')
    return value
