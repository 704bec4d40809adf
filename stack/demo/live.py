"""What the demo prints while it runs, and at its end."""

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from otelcol_runner.process import Process
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from stack.clients.probe import Probe
from stack.demo.counting import ArrivalCounter
from stack.load.generator import Load

# The signal whose row shows each probe's delay.
PROBED = {"traces": "trace", "requests": "metric"}
SECONDS_BETWEEN_LINES = 5.0


@dataclass
class View:
    """The state of a running demo, for display."""

    load: Load
    counter: ArrivalCounter
    probes: Sequence[Probe]
    processes: Sequence[Process]
    started: float = field(default_factory=time.monotonic)

    def __rich__(self) -> Group:
        """Return the view for rich, which renders it twice a second."""
        head = f"running for {self.seconds:.0f} s, press Ctrl-C to stop"
        warnings = [Text(sentence, "bold red") for sentence in self.problems]
        return Group(head, self.requests, "", self.arrivals(), *warnings)

    def summary(self) -> Group:
        sent = [*self.load.sent.kinds.most_common(), ("of the trace probe", self.probed)]
        kinds = ", ".join(f"{n} {kind}" for kind, n in sent if n)
        warnings = [Text(sentence, "bold red") for sentence in self.problems]
        return Group(f"{self.requests}\nof them: {kinds}", "", self.arrivals(), *warnings)

    def line(self) -> str:
        arrived = [
            f"{backend.name} {', '.join(f'{n} {signal}' for signal, n in counts.items())}"
            for backend in self.counter.backends
            if (counts := self.counter.counts[backend.name])
        ]
        delays = [
            f"{probe.name} visible after {delay(probe)}" for probe in self.probes if probe.seconds
        ]
        return "; ".join(
            [f"{self.seconds:.0f} s", self.requests, *arrived, *delays, *self.problems]
        )

    @property
    def to_count(self) -> int:
        """How many requests Prometheus should count: the load's and the trace probe's."""
        return self.load.sent.answered + self.probed

    @property
    def probed(self) -> int:
        """How many requests the trace probe has sent; all of them were answered with success."""
        return sum(probe.sent for probe in self.probes if probe.name == "trace")

    @property
    def counted(self) -> bool:
        """Whether Prometheus, if it is a backend, has counted them all."""
        counts = self.counter.counts.get("Prometheus", {"requests": self.to_count})
        return counts.get("requests", 0) >= self.to_count

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def missing(self) -> list[str]:
        return self.counter.missing()

    @property
    def ended(self) -> list[str]:
        return [
            f"{process.name} ended with code {process.exit_code}, see {process.log}"
            for process in self.processes
            if not process.running
        ]

    @property
    def problems(self) -> list[str]:
        unseen = [
            f"{probe.lost} times, a {probe.name} was not visible within a minute"
            for probe in self.probes
            if probe.lost
        ]
        return [*self.ended, *filter(None, self.counter.errors.values()), *unseen]

    @property
    def requests(self) -> str:
        sent = self.load.sent
        parts = [
            f"{sent.ok + self.probed} ok",
            f"{sent.client_errors} 4xx",
            f"{sent.server_errors} 5xx",
        ]
        parts += [f"{sent.unanswered} unanswered"] if sent.unanswered else []
        shed = f", {sent.shed} more not sent: too many in flight" if sent.shed else ""
        p50, p95 = quantiles(sent.latencies)
        return (
            f"{sent.total + self.probed} requests sent ({', '.join(parts)}){shed}, "
            f"answered in {p50 * 1000:.0f} ms (p50), {p95 * 1000:.0f} ms (p95)"
        )

    def arrivals(self) -> Table:
        table = Table("backend", "signal", box=None, padding=(0, 3, 0, 0))
        table.add_column("arrived", justify="right")
        table.add_column("visible after (p50, p95)", justify="right")
        for backend in self.counter.backends:
            for place, (signal, unit) in enumerate(backend.units.items()):
                count = self.counter.counts[backend.name].get(signal, 0)
                arrived = Text(f"{count:,} {unit}", "green" if count else "yellow")
                probe = next((p for p in self.probes if p.name == PROBED.get(signal)), None)
                seen = delay(probe) if probe else ""
                table.add_row("" if place else backend.name, signal, arrived, seen)
        return table


class Lines:
    """Prints the view as a line every five seconds, for output that is not a terminal."""

    def __init__(self, view: View, console: Console) -> None:
        self._view, self._console = view, console
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def __enter__(self) -> Self:
        self._console.print(f"{self._view.load.rate:g} requests a second; press Ctrl-C to stop")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SECONDS_BETWEEN_LINES):
            self._console.print(self._view.line(), soft_wrap=True)


def delay(probe: Probe) -> str:
    """Return the median and the 95th percentile of a probe's delays as text."""
    if not probe.seconds:
        return "not yet"
    p50, p95 = quantiles(probe.seconds)
    return f"{p50:.1f} s, {p95:.1f} s"


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile; zeros if there are no values."""
    found = list(values)
    if len(found) < 2:
        return (found[0], found[0]) if found else (0.0, 0.0)
    return statistics.median(found), statistics.quantiles(found, n=20, method="inclusive")[18]
