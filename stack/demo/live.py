"""What a person sees while the demo runs, and at its end."""

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

# The signal beside which a probe's delay stands.
PROBED = {"traces": "trace", "requests": "metric"}
SECONDS_BETWEEN_LINES = 5.0


@dataclass
class View:
    """All that can be seen of a running demo."""

    load: Load
    counter: ArrivalCounter
    probes: Sequence[Probe]
    processes: Sequence[Process]
    started: float = field(default_factory=time.monotonic)

    def __rich__(self) -> Group:
        """Return the view as it is now; rich asks for it twice a second."""
        head = f"running for {self.seconds:.0f} s, Ctrl-C ends it"
        alarms = [Text(sentence, "bold red") for sentence in self.troubles]
        return Group(head, self.requests, "", self.arrivals(), *alarms)

    def summary(self) -> Group:
        """Return what is to be said at the end."""
        kinds = ", ".join(f"{n} {kind}" for kind, n in self.load.sent.kinds.most_common())
        alarms = [Text(sentence, "bold red") for sentence in self.troubles]
        return Group(f"{self.requests}\nof them: {kinds}", "", self.arrivals(), *alarms)

    def line(self) -> str:
        """Return the view in one line, for a log."""
        arrived = [
            f"{backend.name} {', '.join(f'{n} {signal}' for signal, n in counts.items())}"
            for backend in self.counter.backends
            if (counts := self.counter.counts[backend.name])
        ]
        delays = [
            f"{probe.name} seen after {delay(probe)}" for probe in self.probes if probe.seconds
        ]
        return "; ".join(
            [f"{self.seconds:.0f} s", self.requests, *arrived, *delays, *self.troubles]
        )

    @property
    def to_count(self) -> int:
        """How many requests Prometheus should have counted: the load's and the trace probes'."""
        probes = sum(probe.sent for probe in self.probes if probe.name == "trace")
        return self.load.sent.answered + probes

    @property
    def counted(self) -> bool:
        """Whether Prometheus, where it is a backend, has counted them."""
        counts = self.counter.counts.get("Prometheus", {"requests": self.to_count})
        return counts.get("requests", 0) >= self.to_count

    @property
    def seconds(self) -> float:
        """How long the load has been running."""
        return time.monotonic() - self.started

    @property
    def missing(self) -> list[str]:
        """The signals that have not arrived."""
        return self.counter.missing()

    @property
    def ended(self) -> list[str]:
        """A sentence for each process that does not run any more."""
        return [
            f"{process.name} ended with code {process.exit_code}, see {process.log}"
            for process in self.processes
            if not process.running
        ]

    @property
    def troubles(self) -> list[str]:
        """A sentence for everything that is not as it should be."""
        unseen = [
            f"{probe.lost} times a {probe.name} was not seen within a minute"
            for probe in self.probes
            if probe.lost
        ]
        return [*self.ended, *filter(None, self.counter.errors.values()), *unseen]

    @property
    def requests(self) -> str:
        """What was sent and how it was answered."""
        sent = self.load.sent
        parts = [f"{sent.ok} ok", f"{sent.client_errors} 4xx", f"{sent.server_errors} 5xx"]
        parts += [f"{sent.unanswered} unanswered"] if sent.unanswered else []
        shed = f", {sent.shed} more withheld: too many waited" if sent.shed else ""
        p50, p95 = quantiles(sent.latencies)
        return (
            f"{sent.total} requests sent ({', '.join(parts)}){shed}, "
            f"answered in {p50 * 1000:.0f} ms (p50), {p95 * 1000:.0f} ms (p95)"
        )

    def arrivals(self) -> Table:
        """Return what arrived where, and after which delay."""
        table = Table("backend", "signal", box=None, padding=(0, 3, 0, 0))
        table.add_column("arrived", justify="right")
        table.add_column("seen after (p50, p95)", justify="right")
        for backend in self.counter.backends:
            for place, (signal, unit) in enumerate(backend.units.items()):
                count = self.counter.counts[backend.name].get(signal, 0)
                arrived = Text(f"{count:,} {unit}", "green" if count else "yellow")
                probe = next((p for p in self.probes if p.name == PROBED.get(signal)), None)
                seen = delay(probe) if probe else ""
                table.add_row("" if place else backend.name, signal, arrived, seen)
        return table


class Lines:
    """Prints the view as a line every five seconds, where there is no terminal."""

    def __init__(self, view: View, console: Console) -> None:
        self._view, self._console = view, console
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def __enter__(self) -> Self:
        self._console.print(f"{self._view.load.rate:g} requests a second; Ctrl-C ends it")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SECONDS_BETWEEN_LINES):
            self._console.print(self._view.line(), soft_wrap=True)


def delay(probe: Probe) -> str:
    """Return the median and the 95th percentile of a probe's delays."""
    if not probe.seconds:
        return "not yet"
    p50, p95 = quantiles(probe.seconds)
    return f"{p50:.1f} s, {p95:.1f} s"


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile; zeros for no values."""
    found = list(values)
    if len(found) < 2:
        return (found[0], found[0]) if found else (0.0, 0.0)
    return statistics.median(found), statistics.quantiles(found, n=20, method="inclusive")[18]
