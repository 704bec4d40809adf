"""Checks the variables of the sampling: the collector's own errors do not name them."""

import re
from collections.abc import Callable, Mapping

from stack.errors import UserError

NUMBER = re.compile(r"\d+(\.\d+)?")
DURATION = re.compile(r"(?=.*[1-9])(\d+(\.\d+)?(ms|s|m|h))+")  # as Go writes it


def check_sampling(
    variables: Mapping[str, str], environment: str, report: Callable[[str], None]
) -> None:
    """Report variables without effect; raises `UserError` for a value that is not valid."""
    for name, (valid, expected) in RULES.items():
        if name not in variables:
            continue
        value = variables[name]
        if not valid(value):
            raise UserError(f"{name}={value} is not {expected}")
        if environment == "development":
            report(f"{name} has no effect: development keeps every trace (ENVIRONMENT=production)")


def is_percent(value: str) -> bool:
    return NUMBER.fullmatch(value) is not None and 0 < float(value) <= 100


def is_positive(value: str) -> bool:
    return NUMBER.fullmatch(value) is not None and float(value) > 0


def is_duration(value: str) -> bool:
    return DURATION.fullmatch(value) is not None


RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    "TRACE_SAMPLE_PERCENT": (is_percent, "a percentage: set a number above 0, at most 100"),
    "SLOW_TRACE_MS": (is_positive, "a number of milliseconds: set one such as 2000"),
    "TRACE_DECISION_WAIT": (is_duration, 'a duration: set one such as "30s"'),
}
