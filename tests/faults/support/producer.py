"""A service that does nothing but number the telemetry it makes.

`python -m tests.faults.support.producer RATE` starts it. It exports through the services' own
bootstrap, so it buffers and retries as they do. On SIGTERM it flushes, and its last line of output
says how much it made of each signal.
"""

import json
import logging
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import cast

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

from app import telemetry

NUMBER = "sequence"  # the attribute that numbers spans and logs, from 1 on
METRIC = "faults.sequence"  # the gauge whose value is its sample's number, from 1 on
ROUTE = "/faults/{number}"
PRODUCING = "producing"


@dataclass
class Made:
    """How many of each signal were made so far."""

    spans: int = 0
    logs: int = 0
    samples: int = 0

    def sample(self, _: CallbackOptions) -> Iterable[Observation]:
        """Make the next sample; called once a collection."""
        self.samples += 1
        yield Observation(self.samples)


@dataclass
class End:
    """A flag that a signal handler may set at any moment; `threading.Event` has a lock."""

    come: bool = False

    def set(self, *_: object) -> None:
        """Set it."""
        self.come = True


def produce(rate: float, made: Made, end: End) -> None:
    """Make `rate` requests a second, each a SERVER span with one log record, until the end."""
    tracer, log = trace.get_tracer("faults"), logging.getLogger("faults")
    metrics.get_meter("faults").create_observable_gauge(METRIC, callbacks=[made.sample])
    log.setLevel(logging.INFO)
    begun = time.monotonic()
    while not end.come:
        time.sleep(max(0.0, begun + made.spans / rate - time.monotonic()))
        made.spans += 1
        attributes: dict[str, str | int] = {
            NUMBER: made.spans,
            "http.request.method": "GET",
            "http.route": ROUTE,
            "http.response.status_code": 200,
        }
        with tracer.start_as_current_span(
            f"GET {ROUTE}", kind=trace.SpanKind.SERVER, attributes=attributes
        ):
            made.logs += 1
            log.info("request %d", made.logs, extra={NUMBER: made.logs})


def main() -> None:
    """Produce until SIGTERM."""
    made, end = Made(), End()
    signal.signal(signal.SIGTERM, end.set)
    telemetry.instrument()
    with telemetry.exporting("faults", "1"):
        print(PRODUCING, flush=True)
        produce(float(sys.argv[1]), made, end)
        # The services flush for five seconds at most; the count here may take longer.
        cast(TracerProvider, trace.get_tracer_provider()).force_flush()
        cast(LoggerProvider, get_logger_provider()).force_flush()
    print(json.dumps(asdict(made)), flush=True)


if __name__ == "__main__":
    main()
