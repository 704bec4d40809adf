"""The feeder as a process."""

import json
import sys

from otelcol_runner.polling import poll_until
from otelcol_runner.process import Process, ProcessFailedError

from stack.paths import ROOT

PATIENCE = 300.0  # seconds for a feeder to deliver its spans


class Feed(Process):
    """Feeds `endpoint` while it is entered; `options` as `Feeder` takes them."""

    def __init__(self, endpoint: str, **options: float) -> None:
        flags = [f"--{name}={value}" for name, value in options.items()]
        argv = [sys.executable, "-m", "bench.collector.feeder", endpoint, *flags]
        super().__init__("feeder", argv, cwd=ROOT)

    def sent(self) -> dict[str, float]:
        """Wait for its end and return what it sent.

        Raises:
            ProcessFailedError: it could not send; the message has its words.
        """
        poll_until(lambda: not self.running, "the feeder done", timeout=PATIENCE)
        if self.exit_code:
            raise ProcessFailedError(f"the feeder failed: {self.tail()}")
        found: dict[str, float] = json.loads(self.output())
        return found
