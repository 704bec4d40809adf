"""Limits the OpenTelemetry SDK's own log records, and lets it count what it drops."""

import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

SECONDS_BETWEEN_WARNINGS = 60.0
# What the exporters can send: the SDK would print all that it does not understand, values too.
HEADER = re.compile(r"[!#-'*+\-.0-9A-Z^-z|~]+[ \t]*=[ !#-+\--:<-\[\]-~]*")
COUNTED = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"


def limit_sdk_logs() -> None:
    """Log OpenTelemetry's own records to stderr only, at most one a minute.

    A failed export logs an error; exporting that record would fail and log again.
    """
    own = logging.getLogger("opentelemetry")
    if own.propagate:
        own.propagate = False
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        handler.addFilter(OncePerInterval(SECONDS_BETWEEN_WARNINGS))
        own.addHandler(handler)


def unusable_headers(text: str) -> str:
    """Return what is wrong with the value of `OTEL_EXPORTER_OTLP_HEADERS`, or nothing."""
    for header in filter(None, map(str.strip, text.split(","))):
        if not HEADER.fullmatch(header) or not unquote(header).strip().isprintable():
            return "is not a list of name=value, separated by commas and URL-encoded: copy it again"
    return ""


@contextmanager
def counting_drops() -> Iterator[None]:
    """Let processors and exporters created in this context count what they drop, as metrics.

    `otel.sdk.processor.span.processed` and `otel.sdk.exporter.span.exported` (the same for `log`)
    with an `error.type` grow while the receiver is away, and are exported when it is back. Set for
    the whole process, the variable would also count every span at its start and its end.
    """
    before = os.environ.get(COUNTED)
    os.environ.setdefault(COUNTED, "true")
    try:
        yield
    finally:
        if before is None:
            del os.environ[COUNTED]


class OncePerInterval(logging.Filter):
    """Passes one record every `seconds`; the next one says how many were suppressed."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._suppressed = 0

    def filter(self, record: logging.LogRecord) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._next_at:
                self._suppressed += 1
                return False
            suppressed, self._suppressed, self._next_at = self._suppressed, 0, now + self._seconds
        if suppressed:
            record.msg, record.args = f"{record.getMessage()} ({suppressed} more suppressed)", ()
        return True
