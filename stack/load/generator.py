"""An open-loop load on the API: requests arrive at a fixed rate, answered or not.

A load that waits for responses (closed loop) slows down with the server and hides its delays. Above
`in_flight` concurrent requests, further ones are counted as shed and not sent.
"""

import asyncio
import random
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal, Self

import httpx
from otelcol_runner.loopback import is_loopback

from stack.load.mix import FAILING, Mix

JSON = {"content-type": "application/json"}
Arrivals = Literal["constant", "poisson"]


@dataclass
class Sent:
    """The requests so far, by outcome; `latencies` holds the latest response times in seconds."""

    ok: int = 0
    client_errors: int = 0
    server_errors: int = 0
    unanswered: int = 0
    shed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))

    @property
    def total(self) -> int:
        """All requests that ended, with a response or without."""
        return self.ok + self.client_errors + self.server_errors + self.unanswered

    @property
    def arrived(self) -> int:
        """The requests that were due so far: answered, in flight, or shed."""
        return sum(self.kinds.values()) + self.shed

    @property
    def answered(self) -> int:
        return self.total - self.unanswered

    def answer(self, status: int, seconds: float) -> None:
        self.latencies.append(seconds)
        if status >= 500:
            self.server_errors += 1
        elif status >= 400:
            self.client_errors += 1
        else:
            self.ok += 1


class Load:
    """A load as a context manager; it runs in its own thread.

    Args:
        url: the API.
        rate: requests a second.
        arrivals: `constant` (evenly spaced), or `poisson` (independent users, with bursts).
        in_flight: the maximum number of concurrent requests.
        failing: the weight of tasks that fail, as in `Mix`.
        tasks_only: only tasks that succeed, as in `Mix`.
        seed: the same seed makes the same requests in the same order.
    """

    def __init__(
        self,
        url: str,
        *,
        rate: float = 10.0,
        arrivals: Arrivals = "poisson",
        in_flight: int = 64,
        failing: float = FAILING,
        tasks_only: bool = False,
        seed: int = 1,
    ) -> None:
        self.url, self.rate, self.arrivals, self.in_flight = url, rate, arrivals, in_flight
        self.sent = Sent()
        self._random = random.Random(seed)  # noqa: S311 - no secret depends on it
        self._mix = Mix(self._random, failing, tasks_only=tasks_only)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run()), name="load", daemon=True
        )
        self._waiting: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more, and wait for requests in flight (up to 5 s)."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    async def _run(self) -> None:
        async with httpx.AsyncClient(
            base_url=self.url, headers=JSON, timeout=5.0, trust_env=not is_loopback(self.url)
        ) as client:
            due = time.monotonic() + self._gap()
            while not self._stop.is_set():
                if (early := due - time.monotonic()) > 0:
                    await asyncio.sleep(min(early, 0.2))
                    continue
                self._send(client)
                # Add to the last due time, not to now: a late wake-up does not lower the rate.
                due += self._gap()
            await asyncio.gather(*self._waiting)

    def _gap(self) -> float:
        if self.arrivals == "poisson":
            return self._random.expovariate(self.rate)
        return 1 / self.rate

    def _send(self, client: httpx.AsyncClient) -> None:
        if len(self._waiting) >= self.in_flight:
            self.sent.shed += 1
            return
        task = asyncio.create_task(self._ask(client))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _ask(self, client: httpx.AsyncClient) -> None:
        request = self._mix.next()
        self.sent.kinds[request.kind] += 1
        begun = time.monotonic()
        try:
            answer = await client.request(request.method, request.path, content=request.body)
        except httpx.HTTPError:
            self.sent.unanswered += 1
            return
        self.sent.answer(answer.status_code, time.monotonic() - begun)
        self._mix.learn(answer)
