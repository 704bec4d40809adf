"""The pipeline itself: what flows through the collector, waits in it, is lost, and costs."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import Query, compared, of, per, query, rate, share
from grafana.rows.ledger import backends, ledger

ITEMS = {"spans": "spans", "log records": "log_records", "points": "metric_points"}
SERIES = ("otelcol_process_uptime_seconds_total",)
QUEUE, INSTANCE = "{{data_type}} to {{exporter}}", "{{instance}}"
A_WEEK = 604800


def collector() -> Dashboard:
    """Return the dashboard of the collector."""
    rows = {
        "Flow": flow(),
        "Queues": queues(),
        "Loss ledger, of a day": ledger(),
        "Backends": backends(),
        "Sampling and cost": cost(),
    }
    return board(links.COLLECTOR, rows, SERIES)


def flow() -> list[Panel]:
    """Return what comes in and goes out, by signal."""
    return [
        graph(
            "Taken in",
            "items/s",
            "What receivers accepted; points also from infrastructure and from the collector.",
            *each("receiver", "otelcol_receiver_accepted_{}_total", "by"),
            to=links.APPLICATION,
        ),
        graph(
            "Sent on",
            "items/s",
            "What exporters delivered, and the backend took.",
            *each("exporter", "otelcol_exporter_sent_{}_total", "to"),
            to=links.OVERVIEW,
        ),
        graph(
            "Refused",
            "percentunit",
            "The share that was turned back, and its sender told: a queue or the memory is full.",
            compared("CollectorRefusingTelemetry", "{{signal}}"),
            to=links.APPLICATION,
            alert="CollectorRefusingTelemetry",
        ),
    ]


def each(label: str, counter: str, word: str) -> list[Query]:
    """Return the rate of a counter that there is for spans, log records and points."""
    return [
        query(per(label, rate(counter.format(item))), f"{name} {word} {{{{{label}}}}}")
        for name, item in ITEMS.items()
    ]


def queues() -> list[Panel]:
    """Return what waits for a backend."""
    size, room = of("otelcol_exporter_queue_size"), of("otelcol_exporter_queue_capacity")
    growth = f"clamp_min(deriv({size}[{window('CollectorQueueFilling')}]), 1)"
    return [
        graph(
            "Queue in use",
            "percentunit",
            "The share of each queue that is full. A backend that is away fills it.",
            query(share(size, room), QUEUE),
            to=links.TRENDS,
        ),
        graph(
            "Queue size",
            "bytes",
            "What waits on disk; it is sent when the backend is back.",
            query(size, QUEUE),
            to=links.TRENDS,
        ),
        graph(
            "Time until full",
            "s",
            "At the pace of the last minutes; a week means that it is not in sight.",
            query(f"clamp_max(({room} - {size}) / {growth}, {A_WEEK})", QUEUE),
            to=links.TRENDS,
            alert="CollectorQueueFilling",
        ),
    ]


def cost() -> list[Panel]:
    """Return what is kept, and what the collector needs for it."""
    cpu = per("instance", rate("otelcol_process_cpu_seconds_total"))
    spans = per("instance", rate("otelcol_receiver_accepted_spans_total"))
    sampled = "otelcol_processor_tail_sampling_count_spans_sampled_total"
    return [
        graph(
            "Spans decided",
            "spans/s",
            "What each policy of the sampler keeps, and what none keeps.",
            query(per("policy, decision", rate(sampled)), "{{policy}} {{decision}}"),
            to=links.APPLICATION,
        ),
        graph(
            "Traces in the sampler",
            "traces",
            "Traces that wait for their decision.",
            query(of("otelcol_processor_tail_sampling_sampling_traces_on_memory"), INSTANCE),
            to=links.APPLICATION,
        ),
        graph(
            "Traces dropped early",
            "percentunit",
            "The share of traces that left the sampler undecided because it was full.",
            compared("CollectorSamplerEvicting", "{{job}}"),
            to=links.APPLICATION,
            alert="CollectorSamplerEvicting",
        ),
        graph(
            "CPU in use",
            "cores",
            "Cores that the collector uses.",
            query(cpu, INSTANCE),
            to=links.TRENDS,
        ),
        graph(
            "CPU per span",
            "s",
            "All of its CPU, by the spans it took: logs and metrics are in it too.",
            query(share(cpu, spans), INSTANCE),
            to=links.TRENDS,
        ),
        graph(
            "Memory",
            "bytes",
            "What the collector holds.",
            query(of("otelcol_process_memory_rss_bytes"), INSTANCE),
            to=links.TRENDS,
        ),
    ]
