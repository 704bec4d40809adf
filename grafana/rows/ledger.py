"""The panels of the loss ledger (docs/ledger.md), and of what backends reject."""

from grafana import links
from grafana.limits import expression
from grafana.panels import Panel, graph
from grafana.queries import Query, compared, per, query, rate

HOP = "{{signal}} {{to}}"
BACKEND, TO = "job, server_address, server_port", "{{server_address}}:{{server_port}}"


def ledger() -> list[Panel]:
    """Return the ledger: received, delivered, waiting, sampled out, dropped, unaccounted."""
    return [
        graph(
            "Received and delivered (items)",
            "items",
            "By signal, from the receivers to the seams, and through each exporter.",
            hops("signal_hop:ledger_received:sum", f"{HOP} received"),
            hops("signal_hop:ledger_delivered:sum", f"{HOP} delivered"),
            to=links.OVERVIEW,
            width=6,
        ),
        graph(
            "Waiting and sampled out (items)",
            "items",
            "Pending in the sampler or in a queue, and dropped by sampling on purpose.",
            hops("signal_hop:ledger_waiting:sum", f"{HOP} waiting"),
            hops("signal_hop:ledger_sampled_out:sum", f"{HOP} sampled out"),
            to=links.TRENDS,
            width=6,
        ),
        graph(
            "Dropped (items)",
            "items",
            "Dropped items by reason.",
            hops("signal_hop_reason:ledger_dropped:sum", f"{HOP} {{{{reason}}}}"),
            to=links.OVERVIEW,
            width=6,
        ),
        graph(
            "Unaccounted (%)",
            "percentunit",
            "The share of received items that are lost without a recorded reason.",
            hops(expression("CollectorLosingTelemetry"), HOP),
            to=links.OVERVIEW,
            alert="CollectorLosingTelemetry",
            width=6,
        ),
    ]


def hops(expr: str, legend: str) -> Query:
    """Return a query with a label `to`: a hop without its kind and signal, which legends have."""
    short = "(?:.+/)?(?:metrics_|prometheus_)?(.+)"
    return query(f'label_replace({expr}, "to", "$1", "hop", "{short}")', legend)


def backends() -> list[Panel]:
    """Return what backends reject, and how far metrics are behind."""
    answered = per(BACKEND, rate("otelcol_exporter_http_request_duration_seconds_count"))
    return [
        graph(
            "Dropped by exporters (%)",
            "percentunit",
            "The share that an exporter dropped after a permanent error of the backend.",
            hops(expression("CollectorExportFailing"), f"{HOP} {{{{reason}}}}"),
            to=links.OVERVIEW,
            alert="CollectorExportFailing",
            empty="Nothing went through an exporter in the last minutes.",
        ),
        graph(
            "Refused requests",
            "short",
            "Requests that the receivers refused for good in the alert's window, by response code.",
            compared("CollectorRefusingRequests", "{{signal}} {{code}}"),
            to=links.OVERVIEW,
            alert="CollectorRefusingRequests",
            empty="No request was refused.",
        ),
        graph(
            "Rejected tokens (%)",
            "percentunit",
            "The share of requests rejected for their token; the guard answers these with 502.",
            query(f"{expression('BackendTokenRefused')} or 0 * {answered}", TO),
            to=links.OVERVIEW,
            alert="BackendTokenRefused",
            empty="No request was sent to a backend.",
        ),
        graph(
            "Age of the newest metrics (s)",
            "s",
            "How far these dashboards are behind: queued metrics are not visible yet.",
            compared("CollectorMetricsBehind", "{{job}}"),
            to=links.OVERVIEW,
            alert="CollectorMetricsBehind",
        ),
    ]
