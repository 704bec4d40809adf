"""Counts in a thread what has arrived at the backends."""

import threading
import time
from collections.abc import Sequence
from typing import Self

import httpx

from stack.demo.arrivals import Backend
from stack.errors import UserError


class ArrivalCounter:
    """Counts at each backend repeatedly, in a thread; a context manager.

    `counts` and `errors` hold the latest result of each backend by name; an error is a sentence,
    empty after a success.
    """

    def __init__(self, backends: Sequence[Backend], *, interval: float = 1.0) -> None:
        self.backends = backends
        self.interval = interval
        self.counts: dict[str, dict[str, int]] = {backend.name: {} for backend in backends}
        self.errors: dict[str, str] = {backend.name: "" for backend in backends}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arrival counter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def missing(self) -> list[str]:
        """Return the signals that have not arrived, for example "logs at Logfire"."""
        return [
            f"{signal} at {backend.name}"
            for backend in self.backends
            for signal in backend.units
            if not self.counts[backend.name].get(signal)
        ]

    def look(self) -> None:
        for backend in self.backends:
            try:
                self.counts[backend.name] = dict(backend.count())
                self.errors[backend.name] = ""
            except UserError as error:
                self.errors[backend.name] = str(error)
            except httpx.HTTPError as error:
                self.errors[backend.name] = f"{backend.name} does not answer: {error}"

    def _run(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            begun = time.monotonic()
            self.look()
            # Query for at most a tenth of the time: a count takes longer the more data there is.
            wait = max(self.interval, 9 * (time.monotonic() - begun))
