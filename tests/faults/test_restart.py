"""The collector is stopped gracefully and restarted, as in a deployment with one replica."""

import statistics
import time
from dataclasses import replace
from itertools import pairwise

import pytest
from otelcol_runner.polling import poll_until

from tests.faults.conftest import StartTrial
from tests.faults.support.outcome import ALL, STATED, Outcome, Row, record
from tests.faults.support.producer import ROUTE
from tests.faults.support.trial import Trial
from tests.support.pipeline import DEVELOPMENT, PRODUCTION
from tests.support.servers import own_servers
from tests.support.service import Service

RESTART = Row(
    "orderly restart of the collector under load, away for {seconds}",
    "development",
    "0 lost, 0 duplicated; requests as fast as before; counts from spans miss one flush at most",
    stated=10,
    short=2,
    none_lost=(*ALL, "API requests"),
)
RESTART_IN_PRODUCTION = replace(RESTART, environment="production", none_lost=ALL)
FLUSH = (2.0, 5.0) if STATED else (0.5, 0.5)  # seconds: as shipped, or short
# An SDK holds 2,048 spans. Its last wait before a retry takes up to 19 s, so that a collector that
# is away for 10 s, and slow to start on a busy machine, may get the first of them after 40 s.
SPANS = 40.0  # a second, of the load
REQUESTS = 8  # of the API, a second: five spans each
API = "POST /agents/{agent_id}/tasks"

pytestmark = pytest.mark.timeout(300)


def test_a_graceful_restart_loses_nothing_and_delays_no_request(
    start_trial: StartTrial,
) -> None:
    development, production = (
        start_trial(
            *configs, rate=SPANS, TRACE_SAMPLE_PERCENT="100", SPAN_METRICS_INTERVAL=f"{flush:g}s"
        )
        for flush, configs in zip(FLUSH, (DEVELOPMENT, PRODUCTION), strict=True)
    )
    both = (development, production)
    to_collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": development.collector.endpoint}
    with own_servers() as servers, Service(*servers, to_collector, workers=0) as service:
        before = service.seconds(100)
        for trial in both:
            wait_until_counting(trial)
            trial.collector.stop()
        meanwhile = requests_for(RESTART.seconds, service)
        for trial in both:
            trial.collector.start()
        development.over()
        asked = len(before) + len(meanwhile)
        poll_until(  # before the API stops, too: its SDK's retries are up to 16 s apart
            lambda: len(reported(development)) >= asked,
            f"{asked} requests of the API at Logfire",
            timeout=40,
            seen=lambda: len(reported(development)),
        )
    production.over()
    assert statistics.median(meanwhile) < 2 * statistics.median(before) + 0.02
    record(RESTART_IN_PRODUCTION, with_missed(production, production.finish()))
    outcome = with_api(development, asked, development.finish())
    latency = f"requests took {ms(before)} before and {ms(meanwhile)} meanwhile (median)"
    record(RESTART, with_missed(development, outcome, latency))


def requests_for(seconds: float, service: Service) -> list[float]:
    """Send requests to the API for this long; return how many seconds each took."""
    begin, found = time.monotonic(), list[float]()
    for number in range(int(seconds * REQUESTS)):
        time.sleep(max(0.0, begin + number / REQUESTS - time.monotonic()))
        found += service.seconds(1)
    return found


def with_api(trial: Trial, requests: int, outcome: Outcome) -> Outcome:
    """Add the API's requests, and how many have no span at Logfire."""
    lost = {**outcome.lost, "API requests": requests - len(reported(trial))}
    return replace(outcome, sent={**outcome.sent, "API requests": requests}, lost=lost)


def reported(trial: Trial) -> set[str]:
    """Return the span of each of the API's requests that arrived."""
    return {item.span_id for item in trial.logfire.spans if item.name == API}


def with_missed(trial: Trial, outcome: Outcome, *more: str) -> Outcome:
    """Add how many requests the counter from spans misses: one flush at most."""
    interval = float(trial.collector.env["SPAN_METRICS_INTERVAL"].rstrip("s"))
    trial.pipeline.prometheus.wait_for(
        lambda _: outcome.sent["spans"] - counted(trial) <= SPANS * (interval + 1),
        "all requests in the counter but those of one flush",
        timeout=2 * interval + 10,
    )
    missed = outcome.sent["spans"] - counted(trial)
    part = f"{missed / SPANS:.1f} s of a {interval:g} s flush"
    note = f"the counter misses {missed:.0f} requests, {part}"
    return replace(outcome, note="; ".join([note, *more]))


def wait_until_counting(trial: Trial) -> None:
    """Wait for the counter's second flush; the first one is its zero."""
    poll_until(
        lambda: any(values_of_counter(trial).values()),
        "requests in the counter",
        timeout=20 + 3 * max(FLUSH),
    )


def values_of_counter(trial: Trial) -> dict[int, float]:
    """Return the counter's values by their time."""
    found = trial.pipeline.prometheus.series("agentical_requests_total", {"endpoint": ROUTE})
    return {one.timestamp: one.value for series in found for one in series.samples}


def counted(trial: Trial) -> float:
    """Return the requests by the counter: the sum of its values before each reset."""
    values = values_of_counter(trial)
    lives = [*(value for _, value in sorted(values.items())), 0.0]
    return sum(earlier for earlier, later in pairwise(lives) if later < earlier)


def ms(seconds: list[float]) -> str:
    """Return the median in milliseconds."""
    return f"{1000 * statistics.median(seconds):.1f} ms"
