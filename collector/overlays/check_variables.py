"""Checks the variables of a start before anything starts: the collector's own errors do not help.

The collector starts with a token that no header can carry, and then retries forever; of a wrong
number it does not name the variable; and it prints a password in the URL of an OTLP exporter with
every failed export. merge.py (compose, Kubernetes) and the demo use these rules.

A sentence never shows a value that may be secret. Requires Python 3.11, no packages.
"""

import re
from collections.abc import Callable, Iterable, Mapping

Rule = Callable[[str], str]  # returns what is wrong, or nothing
NUMBER = re.compile(r"\d+(\.\d+)?")
# What Go's regular expressions do not know: lookaround, other groups and flags, possessive repeats.
ONLY_PYTHON = re.compile(r"\(\?(?!:|P<|[ims]+[-:)]|-[ims]+[:)])|[*+?}]\+")
DURATION = re.compile(r"(?=.*[1-9])(\d+(\.\d+)?(ms|s|m|h))+")  # as Go writes it
URL = re.compile(r"https?://(?P<user>[^/?#\s]*@)?[^/?#\s@]+([/?#]\S*)?")
ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/,\s]+")
NO_DEFAULT = re.compile(r"\$\{env:([A-Z_]+)\}")
PATTERN = "a regular expression that Go has, without backslashes and double quotes: set one"
BROKEN = "contains a space, a line break or a non-ASCII character: copy it again"


def complaint(variables: Mapping[str, str]) -> str:
    """Return one sentence about the first variable that cannot work, or nothing."""
    for name, rule in SECRETS.items():
        if (value := variables.get(name, "")) and (wrong := rule(value)):
            return f"{name} {wrong}"
    for name, (valid, expected) in NUMBERS.items():
        if name in variables and not valid(variables[name]):
            return f"{name}={variables[name]} is not {expected}"
    return ""


def missing(texts: Mapping[str, str], variables: Mapping[str, str]) -> str:
    """Return one sentence about a variable that an overlay has no default for, or nothing.

    `texts` is the text of each overlay by its name; only variables that are passed on are checked,
    empty ones count as not set.
    """
    for overlay, text in texts.items():
        for name in NO_DEFAULT.findall(text):
            if not variables.get(name, "not passed on"):
                return f"OVERLAYS={overlay} needs {name}: set it, or remove {overlay} from OVERLAYS"
    return ""


def required(texts: Iterable[str]) -> set[str]:
    """Return the variables that these texts have no default for."""
    return {name for text in texts for name in NO_DEFAULT.findall(text)}


def token(value: str) -> str:
    return "" if all("!" <= character <= "~" for character in value) else BROKEN


def tokens(value: str) -> str:
    """One on each line, as the receivers take them."""
    return BROKEN if any(map(token, value.split("\n"))) else ""


def header(value: str) -> str:
    inside = all(" " <= character <= "~" for character in value) and value == value.strip()
    return "" if inside else BROKEN.replace("contains a space", "begins or ends with a space")


def password(value: str) -> str:
    return "" if value.isprintable() else "contains a line break: copy it again"


def url(value: str) -> str:
    return "" if URL.fullmatch(value) else "is not an http or https URL: copy it again"


def open_url(value: str) -> str:
    """Check a URL that is printed, or that many people see."""
    found = URL.fullmatch(value)
    if found and found["user"]:
        return "contains a user or password, which has no effect and is printed: remove it"
    return url(value)


def is_percent(value: str) -> bool:
    return NUMBER.fullmatch(value) is not None and 0 < float(value) <= 100


def is_positive(value: str) -> bool:
    return NUMBER.fullmatch(value) is not None and float(value) > 0


def is_whole(value: str) -> bool:
    return value.isascii() and value.isdigit() and int(value) > 0


def is_duration(value: str) -> bool:
    return DURATION.fullmatch(value) is not None


def is_pattern(value: str) -> bool:
    """Return whether Go has this regular expression and YAML's double quotes leave it as it is.

    An empty one would match everything: all health probes, or all routes as streams.
    """
    try:
        re.compile(value)
    except re.error:
        return False
    return bool(value) and not re.search(r'["\\]', value) and not ONLY_PYTHON.search(value)


def is_origins(value: str) -> bool:
    """Tell whether pages of all these origins can match; `missing` tells of an empty value."""
    return not value or all(map(ORIGIN.fullmatch, value.split(",")))


SECRETS: dict[str, Rule] = {
    "LOGFIRE_TOKEN": token,
    "LOGFIRE_TOKEN_SECOND": token,
    "LOGFIRE_READ_TOKEN": token,
    "OTLP_TOKEN": tokens,
    "PROMETHEUS_AUTHORIZATION": header,
    "PROMETHEUS_BASIC_CREDENTIALS": token,
    "PROMETHEUS_BEARER_TOKEN": token,
    "PROMETHEUS_TENANT": header,
    "POSTGRES_PASSWORD": password,
    "REDIS_PASSWORD": password,
    "KAFKA_PASSWORD": password,
    "LOGFIRE_ENDPOINT": open_url,
    "LOGFIRE_ENDPOINT_SECOND": open_url,
    "VIEWER_ENDPOINT": open_url,
    "GRAFANA_URL": open_url,
    "PROMETHEUS_REMOTE_WRITE_ENDPOINT": url,
    "SELF_LAST_REPORT_ENDPOINT": url,
    "PAGER_WEBHOOK_URL": url,
    "TICKETS_WEBHOOK_URL": url,
}
SAMPLING: dict[str, tuple[Callable[[str], bool], str]] = {
    "TRACE_SAMPLE_PERCENT": (is_percent, "a percentage: set a number above 0, at most 100"),
    "LOG_SAMPLE_PERCENT": (is_percent, "a percentage: set a number above 0, at most 100"),
    "SLOW_TRACE_MS": (is_positive, "a number of milliseconds: set one such as 2000"),
    "TRACE_DECISION_WAIT": (is_duration, 'a duration: set one such as "30s"'),
}
NUMBERS: dict[str, tuple[Callable[[str], bool], str]] = {
    **SAMPLING,
    "SAMPLING_WINDOW_FILES": (is_whole, "a number of files: set one such as 32"),
    "QUEUE_BYTES": (is_whole, "a number of bytes: set one such as 1073741824"),
    "SERIES_LIMIT": (is_whole, "a whole number: set one such as 2000"),
    "DELTA_SERIES_LIMIT": (is_whole, "a whole number: set one such as 20000"),
    "IGNORED_PATHS": (is_pattern, f"{PATTERN} such as /health[a-z]*"),
    "STREAM_ROUTES": (is_pattern, f"{PATTERN} such as ^/events/"),
    "BROWSER_ORIGINS": (
        is_origins,
        "origins with commas only: https://shop.example,https://b.example",
    ),
    "SELF_METRICS_INTERVAL_MS": (is_whole, "a number of milliseconds: set one such as 5000"),
    "SPAN_METRICS_INTERVAL": (is_duration, 'a duration: set one such as "5s"'),
    "INFRASTRUCTURE_INTERVAL": (is_duration, 'a duration: set one such as "10s"'),
}
