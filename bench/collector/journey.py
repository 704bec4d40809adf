"""How long a span takes to arrive, and how fast a backlog drains after an outage."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from otelcol_runner.polling import poll_until

from bench.collector.compare import RATE, Say
from bench.collector.configs import shipped
from bench.collector.measure import Bed, bed
from stack.clients.logfire import Logfire
from stack.clients.probe import TraceProbe
from stack.pipeline.launch import Pipeline

PROBES = 4  # at once
QUEUE = {"exporter": "otlp_http/logfire", "data_type": "traces"}
LEFT = 1 / 3  # of the backlog: four batches, and those after them, wait for their next retry
SMALL_RATE = 3_000.0  # spans a second; development sends each of them to the backend
WATCHED = 8.0  # seconds over which the rate before the outage is measured


def delays(*, seconds: float, say: Say) -> list[float]:
    """Run the whole pipeline in development and time tasks; returns seconds, sorted.

    Each counts from the request to the answer of the backend's query that has the worker's span,
    the last of its trace.
    """
    with ExitStack() as stack:
        pipeline = stack.enter_context(Pipeline())
        logfire = stack.enter_context(Logfire(pipeline.logfire_url, pipeline.read_token))
        api = pipeline.api_url
        probes = [TraceProbe(api, logfire, failing=False) for _ in range(PROBES)]
        for probe in probes:
            stack.enter_context(probe)
        time.sleep(seconds)
        for probe in probes:
            probe.finish(10.0)
        seen = sorted(delay for probe in probes for delay in probe.seconds)
    say(f"visible after {seen[len(seen) // 2]:.2f} s (median of {len(seen)})")
    return [round(delay, 3) for delay in seen]


def drains(*, outage: float, say: Say) -> dict[str, dict[str, float]]:
    """Drain in both environments side by side, since both are mostly idle."""
    with ThreadPoolExecutor() as pool:
        rates = {"production": RATE, "development": SMALL_RATE}
        futures = {
            name: pool.submit(drain, name, rate=rate, outage=outage, say=say)
            for name, rate in rates.items()
        }
        return {name: future.result() for name, future in futures.items()}


def drain(environment: str, *, rate: float, outage: float, say: Say) -> dict[str, float]:
    """Keep feeding through an outage of the backend, and measure how fast the backlog drains.

    Rates are of spans at the backend: in production those that the sampler keeps.
    """
    with ExitStack() as stack:
        under = stack.enter_context(bed(shipped(environment)))
        stack.enter_context(under.feeder(int(rate * (outage + 100)), rate=rate))
        poll_until(under.delivered, "the first span delivered", timeout=30)
        ingest = _arriving(under, WATCHED)
        under.sink.stop()
        time.sleep(outage)
        backlog = _queued(under)
        under.sink.start()
        drained, seconds = _drained(under, LEFT * backlog)
    found = {
        "rate": rate,
        "outage_seconds": outage,
        "backlog_mb": round(backlog / 1e6, 1),
        "ingest_per_second": round(ingest),
        "drained_per_second": round(drained),
        "drain_seconds": round(seconds, 2),
    }
    say(f"drained {environment}: {found}")
    return found


def _drained(under: Bed, left: float) -> tuple[float, float]:
    """Return spans a second and seconds, from the first arrival until `left` bytes wait."""
    first = poll_until(under.delivered, "a span after the outage", timeout=60, interval=0.02)
    begun = time.monotonic()
    poll_until(lambda: _queued(under) < left, "the backlog gone", timeout=60)
    seconds = time.monotonic() - begun
    return (under.delivered() - first) / seconds, seconds


def _arriving(under: Bed, seconds: float) -> float:
    before, begun = under.delivered(), time.monotonic()
    time.sleep(seconds)
    return (under.delivered() - before) / (time.monotonic() - begun)


def _queued(under: Bed) -> float:
    """Return the bytes of spans queued for the backend."""
    return under.read().total("exporter_queue_size", **QUEUE)
