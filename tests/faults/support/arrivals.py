"""Records which sequence numbers arrive at the two backends, when, and how often."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self, TypeVar

import httpx
from otelcol_runner.views import Log, Span
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from stack.services.prometheus import Prometheus
from tests.faults.support.producer import METRIC, NUMBER

Item = TypeVar("Item", Span, Log)
INTERVAL = 0.1  # seconds between polls: the resolution of an arrival time
SERIES = METRIC.replace(".", "_")
Sample = tuple[float, float]  # seconds since 1970, value


@dataclass
class Seen:
    """What arrived of one signal, by its number."""

    made: dict[int, float] = field(default_factory=dict)  # seconds since 1970
    came: dict[int, float] = field(default_factory=dict)  # the same clock
    times: Counter[int] = field(default_factory=Counter)

    def note(self, number: int, made: float, now: float) -> None:
        """Record one arrival."""
        self.made.setdefault(number, made)
        self.came.setdefault(number, now)
        self.times[number] += 1

    def missing(self, sent: int) -> set[int]:
        """Return which of the numbers 1 to `sent` did not arrive."""
        return set(range(1, sent + 1)) - self.came.keys()

    @property
    def surplus(self) -> int:
        """How many arrivals were not the first of their number."""
        return self.times.total() - len(self.times)


class Arrivals:
    """Watches both backends in a thread, as a context manager.

    Args:
        logfire: where spans and logs go.
        samples: asked for all samples of the producer's gauge that are there.
    """

    def __init__(self, logfire: OtlpSink, samples: Callable[[], Iterable[Sample]]) -> None:
        self.signals = {"spans": Seen(), "logs": Seen(), "samples": Seen()}
        self.last = time.time()  # when something new arrived
        self._logfire, self._samples = logfire, samples
        self._read = {"spans": 0, "logs": 0}
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="arrivals", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop watching."""
        self._end.set()
        self._thread.join()

    def look(self) -> None:
        """Poll both backends now; one that is down has nothing new."""
        with self._lock:
            before = self._total()
            now = time.time()
            for span in self._new("spans", self._logfire.spans):
                if isinstance(number := span.attributes.get(NUMBER), int):
                    self.signals["spans"].note(number, span.start / 1e9, now)
            for log in self._new("logs", self._logfire.logs):
                if isinstance(number := log.attributes.get(NUMBER), int):
                    self.signals["logs"].note(number, log.time / 1e9, now)
            self._look_at_samples(now)
            if self._total() != before:
                self.last = now

    def _look_at_samples(self, now: float) -> None:
        try:
            found = Counter(self._samples())
        except httpx.HTTPError:
            return
        seen = self.signals["samples"]
        for (made, value), times in found.items():
            if int(value) not in seen.came:
                seen.note(int(value), made, now)
            seen.times[int(value)] = times

    def _new(self, signal: str, items: list[Item]) -> list[Item]:
        new = items[self._read[signal] :]
        self._read[signal] = len(items)
        return new

    def _total(self) -> int:
        return sum(seen.times.total() for seen in self.signals.values())

    def _watch(self) -> None:
        while not self._end.wait(INTERVAL):
            self.look()


def samples_in(backend: Prometheus | RemoteWriteSink, instance: str) -> Iterable[Sample]:
    """Return the samples of one producer; raises `httpx.HTTPError` when the backend is down."""
    if isinstance(backend, RemoteWriteSink):
        found = backend.series(SERIES, {"instance": instance})
        return [(one.timestamp / 1e3, one.value) for series in found for one in series.samples]
    return samples_until(backend, f'{SERIES}{{instance="{instance}"}}[1d]', time.time())


def samples_until(prometheus: Prometheus, selector: str, moment: float) -> list[Sample]:
    """Return the samples of a range selector that ends at this moment (seconds since 1970)."""
    query = {"query": selector, "time": str(moment)}
    answer = httpx.get(f"{prometheus.url}/api/v1/query", params=query, timeout=5)
    series = answer.raise_for_status().json()["data"]["result"]
    return [(float(time), float(value)) for one in series for time, value in one["values"]]
