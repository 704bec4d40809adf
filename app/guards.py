"""What keeps telemetry from hurting the service."""

import logging
import threading
import time

SECONDS_BETWEEN_WARNINGS = 60.0


def quieten_exporters() -> None:
    """Keep OpenTelemetry's own records out of the export, and to one a minute on stderr."""
    own = logging.getLogger("opentelemetry")
    if own.propagate:
        own.propagate = False
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        handler.addFilter(OncePerInterval(SECONDS_BETWEEN_WARNINGS))
        own.addHandler(handler)


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
