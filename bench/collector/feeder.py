"""Sends the service's spans to a collector, in its own process: at a rate, or as fast as possible.

    python -m bench.collector.feeder ENDPOINT --spans=400000 [--rate=10000]

It prints what it sent as JSON at the end. A request that is refused is sent again.
"""

import argparse
import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.collector.spans import TRACES, Template, ids, pairs

HEADERS = {"content-type": "application/x-protobuf"}
PAUSE = 0.1  # seconds before a refused request is sent again


@dataclass
class Sent:
    """What was accepted, in `seconds` from the first request to the last response."""

    spans: int = 0
    requests: int = 0
    refused: int = 0
    seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, spans: int, refused: int) -> None:
        with self._lock:
            self.spans += spans
            self.requests += 1
            self.refused += refused

    def as_json(self) -> str:
        counts = {name: getattr(self, name) for name in ("spans", "requests", "refused", "seconds")}
        return json.dumps(counts)


class Feeder:
    """Feeds `endpoint` over a few connections until `spans` were accepted.

    Args:
        endpoint: the base URL of an OTLP/HTTP receiver.
        spans: how many to send, rounded up to whole requests.
        rate: spans a second; 0 means as fast as they are taken.
        connections: how many requests may be under way.
        routes: distinct routes, of which each makes series of its own.
        traces: how many a request holds, four spans of each.
        seed: the trace ids are the same for the same seed.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        spans: int,
        rate: float = 0.0,
        connections: int = 4,
        routes: int = 10,
        traces: int = TRACES,
        seed: int = 1,
    ) -> None:
        self.address = urlsplit(endpoint).netloc
        self.spans, self.rate, self.seed = spans, rate, seed
        self.connections, self.routes, self.traces = connections, routes, traces
        self.sent = Sent()
        self._pairs = pairs(routes, connections, traces)
        self._slots: Iterator[int] = itertools.count()
        self._begun = 0.0

    def run(self) -> Sent:
        """Send everything; returns the counts."""
        threads = [
            threading.Thread(target=self._connection, args=(number,), daemon=True)
            for number in range(self.connections)
        ]
        self._begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.sent.seconds = time.monotonic() - self._begun
        return self.sent

    def _connection(self, number: int) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=120)
        own = [pair.copy() for pair in self._pairs]
        trace_ids = ids(self.seed * 1000 + number, self.traces)
        for turn in itertools.count(number):
            pair = own[turn % len(own)]
            these = next(trace_ids)
            for template in (pair.api, pair.worker):
                if not self._wait(template.spans):
                    return
                self._post(connection, template, these)

    def _wait(self, spans: int) -> bool:
        """Wait for the next free slot; false when all is sent."""
        slot = next(self._slots)
        if slot * spans >= self.spans:
            return False
        if self.rate:
            time.sleep(max(0.0, self._begun + slot * spans / self.rate - time.monotonic()))
        return True

    def _post(
        self, connection: http.client.HTTPConnection, template: Template, these: bytes
    ) -> None:
        body = template.under(these)
        refused = 0
        while True:
            connection.request("POST", "/v1/traces", body, HEADERS)
            with connection.getresponse() as answer:
                answer.read()
                if answer.status < 300:
                    break
            refused += 1
            time.sleep(PAUSE)
        self.sent.add(template.spans, refused)


def main() -> None:
    """Feed by the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("endpoint")
    parser.add_argument("--spans", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--routes", type=int, default=10)
    parser.add_argument("--traces", type=int, default=TRACES)
    parser.add_argument("--seed", type=int, default=1)
    given = vars(parser.parse_args())
    print(Feeder(given.pop("endpoint"), **given).run().as_json(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
