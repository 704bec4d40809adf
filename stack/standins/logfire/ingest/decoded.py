"""The result of decoding one request: rows for a table, and what was dropped and why."""

import time
from dataclasses import dataclass, field
from typing import Any

Row = tuple[Any, ...]
OLDEST_SECONDS, NEWEST_SECONDS = 24 * 3600, 3600


@dataclass
class Decoded:
    """The rows of one request, received at `now` (nanoseconds since the epoch)."""

    table: str
    now: int = field(default_factory=time.time_ns)
    rows: list[Row] = field(default_factory=list)
    out_of_window: int = 0
    rejected: int = 0
    reason: str = ""

    def in_window(self, nanoseconds: int) -> bool:
        """Return whether a time is in -24 h .. +1 h; if not, count it as dropped."""
        age = self.now - nanoseconds
        if -NEWEST_SECONDS * 10**9 <= age <= OLDEST_SECONDS * 10**9:
            return True
        self.out_of_window += 1
        return False

    def reject(self, reason: str) -> None:
        """Count an invalid item; the response then reports a partial success."""
        self.rejected += 1
        self.reason = reason
