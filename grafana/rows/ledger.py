"""The panels of what is lost, and why: the ledger (docs/ledger.md), and what backends refuse."""

from grafana import links
from grafana.panels import Panel, graph
from grafana.queries import compared, per, query, rate, share

HOP = "{{signal}} {{hop}}"
BACKEND, TO = "job, server_address, server_port", "{{server_address}}:{{server_port}}"


def ledger() -> list[Panel]:
    """Return where everything went: docs/ledger.md."""
    return [
        graph(
            "Received and delivered",
            "items",
            "Of each signal, from the receivers to the seams and through each exporter.",
            query("signal_hop:ledger_received:sum", f"{HOP} received"),
            query("signal_hop:ledger_delivered:sum", f"{HOP} delivered"),
            to=links.OVERVIEW,
            width=6,
        ),
        graph(
            "Waiting and sampled out",
            "items",
            "In the sampler or in a queue, and left out by sampling on purpose.",
            query("signal_hop:ledger_waiting:sum", f"{HOP} waiting"),
            query("signal_hop:ledger_sampled_out:sum", f"{HOP} sampled out"),
            to=links.TRENDS,
            width=6,
        ),
        graph(
            "Lost",
            "items",
            "What was lost, by reason.",
            query("signal_hop_reason:ledger_dropped:sum", f"{HOP} {{{{reason}}}}"),
            to=links.OVERVIEW,
            width=6,
        ),
        graph(
            "Unaccounted",
            "percentunit",
            "The share of what was received that is gone, and nobody says why.",
            compared("CollectorLosingTelemetry", HOP),
            to=links.OVERVIEW,
            alert="CollectorLosingTelemetry",
            width=6,
        ),
    ]


def backends() -> list[Panel]:
    """Return how the backends take what they are sent."""
    answers = "otelcol_exporter_http_request_duration_seconds_count"
    answered, refused = rate(answers), rate(answers, 'http_response_status_code=~"401|403|502"')
    return [
        graph(
            "Given up",
            "percentunit",
            "The share that an exporter dropped: the backend will never take it.",
            compared("CollectorExportFailing", f"{HOP} {{{{reason}}}}"),
            to=links.OVERVIEW,
            alert="CollectorExportFailing",
        ),
        graph(
            "Tokens refused",
            "percentunit",
            "The share of requests with a token that was refused; the guard answers 502 for it.",
            query(share(per(BACKEND, f"{refused} or 0 * {answered}"), per(BACKEND, answered)), TO),
            to=links.OVERVIEW,
            alert="BackendTokenRefused",
        ),
        graph(
            "Age of the newest metrics",
            "s",
            "How far the metrics here are behind: what waits in the queue is not seen.",
            compared("CollectorMetricsBehind", "{{job}}"),
            to=links.OVERVIEW,
            alert="CollectorMetricsBehind",
        ),
    ]
