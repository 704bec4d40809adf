"""What keeps telemetry from hurting the service."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS_BETWEEN_WARNINGS = 60.0
COUNTED = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"


def quieten_exporters() -> None:
    """Keep OpenTelemetry's own records out of the export, and to one a minute on stderr."""
    own = logging.getLogger("opentelemetry")
    if own.propagate:
        own.propagate = False
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        handler.addFilter(OncePerInterval(SECONDS_BETWEEN_WARNINGS))
        own.addHandler(handler)


@contextmanager
def counting_losses() -> Iterator[None]:
    """Have the processors and exporters made inside count what they drop, as metrics.

    `otel.sdk.processor.span.processed` and `otel.sdk.exporter.span.exported` (the same for `log`)
    with an `error.type`: they rise while the receiver is away, and arrive when it is back. Set for
    the whole process, the variable would also count each span at its start and its end.
    """
    before = os.environ.get(COUNTED)
    os.environ.setdefault(COUNTED, "true")
    try:
        yield
    finally:
        if before is None:
            del os.environ[COUNTED]


class OncePerInterval(logging.Filter):
    """Lets one record through every `seconds`, and says with the next how many it held back."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open_at = 0.0
        self._held = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide about one record."""
        with self._lock:
            now = time.monotonic()
            if now < self._open_at:
                self._held += 1
                return False
            held, self._held, self._open_at = self._held, 0, now + self._seconds
        if held:
            record.msg, record.args = f"{record.getMessage()} ({held} more before)", ()
        return True
