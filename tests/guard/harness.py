"""One collector on the shipped files before scripted backends: the fate of an item, by answer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from otelcol_runner.configs import merged
from otelcol_runner.polling import NotSeenError, poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.telemetry import gauge, log
from pytest_otelcol.collector import Collector, Otelcol

from stack.clients.collector import SelfMetrics
from stack.pipeline.ports import LISTEN
from stack.services import guard
from tests.guard.backends import PARTIAL, SILENT, Answer, Backend, Logs, Metrics
from tests.support.pipeline import PORTS, QUICK, files

CONFIGS = ("environments/development", "routes/hybrid", "overlays/also-viewer")
SOON = {"initial_interval": "100ms", "max_interval": "300ms"}
# By default frequent log lines are sampled.
EVERY_LINE = {"service": {"telemetry": {"logs": {"sampling": {"enabled": False}}}}}
SPEEDUP = 10  # by which the timeouts are shortened for a backend that does not respond
LOGFIRE, PROMETHEUS, VIEWER = "logfire", "prometheus", "viewer"
# The exporter whose queue holds the item, and the item's name in its metrics.
EXPORTERS = {
    LOGFIRE: ("otlp_http/logfire", "log_records"),
    PROMETHEUS: ("otlp_grpc/metrics_buffer", "metric_points"),
    VIEWER: ("otlp_http/viewer", "log_records"),
}
DELIVERED, HELD, RETRIED, DROPPED = "delivered", "held", "retried", "dropped"
ONLY_LOGGED, SILENTLY = "dropped, only logged", "lost, counted as sent"
OPEN = ""


@dataclass
class Harness:
    """A running collector and its backends."""

    collector: Collector
    backends: Mapping[str, Backend]

    def outcome_of(self, answer: Answer) -> dict[str, str]:
        """Return the fate of one item per backend while every backend gives this response."""
        item = new_item()
        with self.watched() as seen:
            for backend in self.backends.values():
                backend.answer_with(answer)
            self.send(item)
            outcomes = poll_until(
                lambda: settled({way: self.outcome(way, item, seen) for way in EXPORTERS}),
                f"the end of {item} at {answer.name}",
                timeout=30,
                seen=self.collector.tail,
            )
        retried = [way for way in outcomes if outcomes[way] == RETRIED]
        self.backends[VIEWER].recover()
        if VIEWER in retried:
            self.wait_for(VIEWER, item)
        if set(retried) - {VIEWER}:
            self.collector.kill()
        for backend in self.backends.values():
            backend.recover()
        if self.collector.running:
            return outcomes
        self.collector.start()
        for way in set(retried) - {VIEWER}:
            with suppress(NotSeenError):
                self.wait_for(way, item)
                outcomes[way] = HELD
        self.warm_up()
        return outcomes

    def warm_up(self) -> None:
        """Wait until an item arrives everywhere: the metrics buffer connects last."""
        item = new_item()
        self.send(item)
        for way in EXPORTERS:
            self.wait_for(way, item)

    def outcome(self, way: str, item: str, seen: "Seen") -> str:
        """Return the item's fate so far."""
        exporter, items = EXPORTERS[way]
        sent = seen.grown(f"exporter_sent_{items}", exporter)  # first: it is counted after storage
        if self.backends[way].has(item):
            return DELIVERED
        if seen.said("Exporting failed. Will retry the request", exporter):
            return RETRIED
        dropped = seen.said("Exporting failed. Dropping data", exporter)
        if dropped and seen.grown(f"exporter_send_failed_{items}", exporter):
            return DROPPED
        if not sent:
            return OPEN
        return ONLY_LOGGED if seen.said("Partial success response", exporter) else SILENTLY

    def send(self, item: str) -> None:
        """Send the item as log record and sample; a restarted collector needs a moment."""

        def sent() -> bool:
            self.collector.send(log(item), gauge("answers", 1, {"item": item}, unit=""))
            return True

        poll_until(sent, "the collector to accept an item", timeout=30, seen=self.collector.tail)

    def wait_for(self, way: str, item: str) -> None:
        """Wait until the backend has the item."""
        poll_until(lambda: self.backends[way].has(item), f"{item} at {way}", timeout=15)

    @contextmanager
    def watched(self) -> Iterator["Seen"]:
        """Observe the collector's log and metrics from now on."""
        before = SelfMetrics.of(self.collector.env)
        yield Seen(self.collector, before, len(self.collector.output()))


@dataclass(frozen=True)
class Seen:
    """What a collector has logged and counted since a moment."""

    collector: Collector
    before: SelfMetrics
    offset: int

    def said(self, words: str, exporter: str) -> bool:
        """Tell whether it logged these words of an exporter."""
        lines = self.collector.output()[self.offset :].splitlines()
        return any(words in line and f'"{exporter}"' in line for line in lines)

    def grown(self, name: str, exporter: str) -> bool:
        """Tell whether an exporter's counter has increased."""
        now = SelfMetrics.of(self.collector.env).total(name, exporter=exporter)
        return now > self.before.total(name, exporter=exporter)


def new_item() -> str:
    """Return a text that occurs once. Sixteen digits alone would be masked as a card number."""
    return uuid4().hex


def settled(outcomes: dict[str, str]) -> dict[str, str] | None:
    """Return the outcomes once none is open."""
    return outcomes if OPEN not in outcomes.values() else None


@contextmanager
def run_harness(
    otelcol: Otelcol, folder: Path, *, guarded: bool, short_timeouts: bool = False
) -> Iterator[Harness]:
    """Run a collector and its backends, with the guard or the timeouts shortened if asked for."""
    folder.mkdir(parents=True)
    overlay = folder / "shorter_waits.yaml"
    overlay.write_text(
        json.dumps({"exporters": shorter_waits(short_timeouts=short_timeouts), **EVERY_LINE})
    )
    with ExitStack() as stack:
        backends: dict[str, Backend] = {LOGFIRE: Logs(), PROMETHEUS: Metrics(), VIEWER: Logs()}
        for backend in backends.values():
            stack.enter_context(backend)
        urls = backends[LOGFIRE].url, f"{backends[PROMETHEUS].url}/api/v1/write"
        if guarded:
            settings = guard.variables(*urls) | {"GUARD_RETRY_AFTER": "0"}
            settings |= {"GUARD_TIMEOUT": f"{25000 // SPEEDUP}ms"} if short_timeouts else {}
            between = stack.enter_context(guard.Guard(free_port(), free_port(), settings))
            urls = between.url, guard.through(between.metrics_url, urls[1])
        variables = {
            **QUICK,
            "COLLECTOR_QUEUE_DIR": str(folder / "queue"),
            "LOGFIRE_ENDPOINT": urls[0],
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": urls[1],
            "VIEWER_ENDPOINT": backends[VIEWER].url,
        }
        paths = [*files(CONFIGS), overlay]
        running = otelcol.run(paths, variables, listen=LISTEN, ports=PORTS)
        harness = Harness(stack.enter_context(running), backends)
        harness.warm_up()
        yield harness


def shorter_waits(*, short_timeouts: bool) -> dict[str, dict[str, Any]]:
    """Return shorter retries for the shipped exporters, and timeouts divided by the same factor."""
    found: dict[str, dict[str, Any]] = {}
    for name, shipped in merged(files(CONFIGS))["exporters"].items():
        timeout = int(shipped["timeout"].removesuffix("s")) * 1000
        found[name] = {"timeout": f"{timeout // SPEEDUP}ms"} if short_timeouts else {}
        if "sending_queue" in shipped:
            found[name]["retry_on_failure"] = SOON
        if "batch" in shipped.get("sending_queue", {}):
            found[name]["sending_queue"] = {"batch": {"flush_timeout": "50ms"}}
    return found


def examine(
    otelcol: Otelcol, folder: Path, answers: Sequence[Answer], *, guarded: bool
) -> dict[str, dict[str, str]]:
    """Return the fate of an item by response and backend."""
    found: dict[str, dict[str, str]] = {}
    for short_timeouts in (False, True):
        mine = [answer for answer in answers if (answer is SILENT) is short_timeouts]
        if not mine:
            continue
        place = folder / f"{'short-timeouts' if short_timeouts else 'shipped'}-{guarded}"
        with run_harness(otelcol, place, guarded=guarded, short_timeouts=short_timeouts) as harness:
            found |= {answer.name: harness.outcome_of(answer) for answer in mine}
    found.get(PARTIAL.name, {}).pop(PROMETHEUS, None)  # remote write 1.0 knows no such answer
    return found
