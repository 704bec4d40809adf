"""Finds services that make no spans for some requests, because their callers do not sample.

The sampler that SDKs use by default, `parentbased_always_on`, obeys `traceparent: ..-00`. A span
that is never made cannot be seen. What shows it are two metrics, if the service sends them: the
SDK's own count of sampling decisions, and the service's own count of requests.
"""

import re

from stack.doctor.backends import Backends
from stack.doctor.promql import MINUTES, SECONDS, counted, grown

DECISIONS = 'otel_sdk_span_started_total{otel_span_sampling_result!="RECORD_AND_SAMPLE"}'
# The stable and the older convention; each as a classic or a native histogram.
OWN_METRICS = ("http_server_request_duration_seconds", "http_server_duration_milliseconds")
# Spans take up to 5 s until they leave an SDK, 5 s until they are counted, and a moment more.
SPANS_BEHIND_SECONDS = 15
LEAST, SHARE = 5, 0.2  # fewer missing requests than both may be timing
ALWAYS_ON = "set OTEL_TRACES_SAMPLER=always_on (the collector samples)"
PROBE = re.compile(
    r"health|live|ready|ping|status|metrics", re.IGNORECASE
)  # may be dropped on purpose
ROUTE = 'label_replace({}, "endpoint", "$1", "{}", "(.+)")'
Requests = dict[tuple[str, str], float]  # by service and route


def not_sampled(backends: Backends) -> dict[str, str]:
    """Return a sentence for each service that does not make all spans."""
    return {**missing_spans(backends), **dropped_by_sampler(backends)}


def dropped_by_sampler(backends: Backends) -> dict[str, str]:
    """Read the SDKs' own counts: in Python with `OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true`.

    Names: https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
    """
    query = f"sum by (job, otel_span_parent_origin) ({counted(DECISIONS)})"
    dropped: dict[str, dict[str, float]] = {}
    for labels, value in backends.promql(query):
        if value >= 1:
            origin = labels.get("otel_span_parent_origin", "")
            dropped.setdefault(labels.get("job", ""), {})[origin] = value
    return {job: sampler_sentence(by_origin) for job, by_origin in dropped.items()}


def sampler_sentence(by_origin: dict[str, float]) -> str:
    asked = f", {by_origin['remote']:.0f} of them for a caller" if "remote" in by_origin else ""
    return f"its sampler dropped {sum(by_origin.values()):.0f} spans{asked}: {ALWAYS_ON}"


def missing_spans(backends: Backends) -> dict[str, str]:
    """Compare a service's own count of requests with that of its spans, route by route."""
    own = own_requests(backends)
    if not own:
        return {}
    # The spans of a longer time than the requests, so that none is missing at the edge.
    spanned = requests(backends, counted("agentical_requests_total", SECONDS + 60))
    traced = {job for job, _ in spanned}
    worst: dict[str, tuple[float, str]] = {}
    for (job, route), count in own.items():
        if (job, route) not in spanned and (job in traced or PROBE.search(route)):
            continue  # a route that the collector drops on purpose
        arrived = spanned.get((job, route), 0.0)
        if count - arrived >= max(LEAST, SHARE * count):
            sentence = missing_sentence(route, count, arrived)
            worst[job] = max(worst.get(job, (0.0, "")), (count - arrived, sentence))
    return {job: sentence for job, (_, sentence) in worst.items()}


def missing_sentence(route: str, count: float, arrived: float) -> str:
    begin = f"its own metric counts {count:.0f} requests of {route} in {MINUTES} minutes, but "
    if not arrived:
        return (
            f"{begin}no span of a request arrives: set OTEL_TRACES_EXPORTER=otlp and "
            "OTEL_TRACES_SAMPLER=always_on"
        )
    return (
        f"{begin}its spans only {arrived:.0f}: {ALWAYS_ON}; if the service logs that its queue is "
        "full, raise OTEL_BSP_MAX_QUEUE_SIZE"
    )


def own_requests(backends: Backends) -> Requests:
    """Return the requests that services count; of two metrics of one service, the larger."""
    found: Requests = {}
    for name in OWN_METRICS:
        counter = f"{name}_count or histogram_count({name})"
        growth = grown(counter, SECONDS, delay=SPANS_BEHIND_SECONDS)
        for label in ("http_route", "http_target"):
            routes = requests(backends, ROUTE.format(growth, label))
            found.update({key: max(value, found.get(key, 0)) for key, value in routes.items()})
    return found


def requests(backends: Backends, query: str) -> Requests:
    series = backends.promql(f"sum by (job, endpoint) ({query})")
    return {
        (labels["job"], labels["endpoint"]): value
        for labels, value in series
        if labels.get("endpoint") and labels.get("job")
    }
