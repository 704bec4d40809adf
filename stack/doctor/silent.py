"""Says why nothing of a service may arrive.

The collector counts neither a gRPC connection to its HTTP port nor the opposite, so that a sender
with the wrong protocol cannot be told from one that does not exist.
"""

from collections.abc import Iterable
from difflib import get_close_matches

PROTOCOL = (
    "the protocol: port 4318 takes OTLP over HTTP, 4317 over gRPC. `opentelemetry-instrument` and "
    "several SDKs use gRPC unless OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf is set. The collector "
    "does not notice the wrong one; the service logs UNAVAILABLE or a reset connection, under "
    "`opentelemetry-instrument` often nothing"
)
ADDRESS = (
    "the address: OTEL_EXPORTER_OTLP_ENDPOINT is not set for it, or says localhost in a container, "
    "where that is the container itself"
)
NAME = "another name: OTEL_SERVICE_NAME, or service.name in OTEL_RESOURCE_ATTRIBUTES"
OFF = (
    "telemetry is off: OTEL_SDK_DISABLED=true, or `none` or `console` in OTEL_TRACES_EXPORTER, "
    "OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER. With gRPC, or without fastapi[opentelemetry], "
    "FastAPI's own is off and logs `automatic telemetry configuration failed`"
)
PROXY = (
    "a proxy: with HTTP_PROXY Python's exporters use it for loopback addresses too, and log "
    "ProxyError; set NO_PROXY=127.0.0.1,localhost,::1 for the service"
)
SAMPLER = (
    "the sampler: OTEL_TRACES_SAMPLER=always_off, or the default and callers that do not sample "
    "(always_on ignores them)"
)
REFUSED = (
    "the receiver refuses it: OTEL_EXPORTER_OTLP_HEADERS has no token, or the wrong one; the "
    "service logs 401 or UNAUTHENTICATED"
)
NOTHING_YET = (
    "nothing to send yet: no request, or it ended before its first export (spans after 5 s, "
    "metrics after OTEL_METRIC_EXPORT_INTERVAL, 60 s)"
)
CAUSES = (PROTOCOL, ADDRESS, PROXY, NAME, OFF, SAMPLER, REFUSED, NOTHING_YET)
# For a service that sends something else, so that protocol, address and name are right.
CAUSES_OF_NO_SPANS = (
    "traces are off: OTEL_TRACES_EXPORTER=none, or no instrumentation is loaded",
    SAMPLER,
    "traces go elsewhere: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "it has had no request since it started",
)


def similar(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that may be meant."""
    wanted, by_lower = name.lower(), {other.lower(): other for other in names}
    close = get_close_matches(wanted, by_lower, cutoff=0.7)
    close += [lower for lower in by_lower if wanted in lower and lower not in close]
    return [by_lower[lower] for lower in close]
